/** Structured concurrency on virtual threads in which no failure is ever lost. */
module dev.selvedge {
  requires static transitive org.jspecify;
  requires jdk.jfr;
  requires jdk.unsupported;

  exports dev.selvedge;
}
