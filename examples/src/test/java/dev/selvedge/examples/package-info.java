@NullMarked
package dev.selvedge.examples;

import org.jspecify.annotations.NullMarked;
