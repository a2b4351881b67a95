package dev.selvedge.spring;

import dev.selvedge.testkit.SelvedgeExtension;

/** The settings of the test kit that all tests here share. */
final class Kit {
  private Kit() {}

  /** Nothing is left in the whole process; the loops are those of the applications. */
  static SelvedgeExtension extension() {
    return SelvedgeExtension.builder().current(false).wholeProcess().build();
  }
}
