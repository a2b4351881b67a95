@NullUnmarked
package dev.selvedge.spring;

import org.jspecify.annotations.NullUnmarked;
