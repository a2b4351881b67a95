/** Gather, task groups and supervisors on top of core's public API. */
module dev.selvedge.gather {
  requires transitive dev.selvedge;
  requires static org.jspecify;

  exports dev.selvedge.gather;
}
