/** Several tasks, and what becomes of their failures: gather, task groups, supervisors. */
@NullMarked
package dev.selvedge.gather;

import org.jspecify.annotations.NullMarked;
