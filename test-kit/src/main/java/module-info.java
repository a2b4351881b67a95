/** Tools for testing code that uses Selvedge. */
module dev.selvedge.testkit {
  requires static transitive org.jspecify;
  requires transitive dev.selvedge;
  requires transitive org.assertj.core;
  requires transitive org.junit.jupiter.api;

  exports dev.selvedge.testkit;
}
