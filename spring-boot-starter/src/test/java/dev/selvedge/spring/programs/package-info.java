@NullUnmarked
package dev.selvedge.spring.programs;

import org.jspecify.annotations.NullUnmarked;
