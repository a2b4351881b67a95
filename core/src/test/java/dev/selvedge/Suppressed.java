package dev.selvedge;

import java.util.List;
import java.util.stream.Stream;

/** What is suppressed in an exception, but for the frames that explain it. */
public final class Suppressed {
  private Suppressed() {}

  public static List<Throwable> in(Throwable thrown) {
    return Stream.of(thrown.getSuppressed()).filter(each -> !(each instanceof TaskTrace)).toList();
  }
}
