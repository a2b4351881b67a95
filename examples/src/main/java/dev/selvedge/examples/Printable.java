package dev.selvedge.examples;

import java.io.File;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;

/** Text for a terminal. */
final class Printable {
  private Printable() {}

  /**
   * Escapes what a terminal would obey, hide or reorder instead of showing it. Names of files and
   * what stands in them are strangers' text.
   */
  static String escaped(String text) {
    var result = new StringBuilder(text.length());
    text.codePoints()
        .forEach(character -> {
          switch (Character.getType(character)) {
            case Character.CONTROL,
                Character.FORMAT,
                Character.SURROGATE,
                Character.LINE_SEPARATOR,
                Character.PARAGRAPH_SEPARATOR ->
                result.append(escape(character));
            default -> result.appendCodePoint(character);
          }
        });
    return result.toString();
  }

  private static String escape(int character) {
    return switch (character) {
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      default ->
          character > 0xffff ? "\\x{%x}".formatted(character) : "\\u%04x".formatted(character);
    };
  }

  /** Says in a few words what went wrong; not escaped. */
  static String cause(Throwable exception) {
    return switch (exception) {
      case ChecksumMismatchException e -> message(e);
      case MalformedChecksumException e -> message(e);
      case NoSuchFileException e -> fileName(e) + ": no such file";
      case AccessDeniedException e -> fileName(e) + ": permission denied";
      case FileSystemException e when e.getReason() != null -> fileName(e) + ": " + e.getReason();
      default -> exception.toString();
    };
  }

  private static String message(Throwable exception) {
    String message = exception.getMessage();
    return message == null ? exception.toString() : message;
  }

  private static String fileName(FileSystemException exception) {
    String file = exception.getFile();
    return file == null ? exception.getClass().getSimpleName() : new File(file).getName();
  }
}
