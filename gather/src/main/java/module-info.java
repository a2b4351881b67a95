/** Gather, task groups and supervisors on top of core's public API. Its package is still empty. */
module dev.selvedge.gather {
  requires transitive dev.selvedge;
  requires static org.jspecify;
}
