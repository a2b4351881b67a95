/**
 * Running several tasks and failing together: gather, task groups, supervisors. Nothing is here
 * yet.
 */
@NullMarked
package dev.selvedge.gather;

import org.jspecify.annotations.NullMarked;
