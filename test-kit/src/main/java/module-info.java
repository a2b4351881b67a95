/** Tools for testing code that uses Selvedge. Its package is still empty. */
module dev.selvedge.testkit {
  requires static org.jspecify;
}
