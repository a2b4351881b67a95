@NullMarked
package dev.selvedge.examples.storefront;

import org.jspecify.annotations.NullMarked;
