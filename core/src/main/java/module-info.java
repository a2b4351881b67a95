/** Structured concurrency on virtual threads in which no failure is ever lost. */
@SuppressWarnings("module") // the test kit is compiled later
module dev.selvedge {
  requires static transitive org.jspecify;
  requires jdk.jfr;
  requires jdk.unsupported;

  exports dev.selvedge;
  exports dev.selvedge.internal to
      dev.selvedge.testkit;
}
