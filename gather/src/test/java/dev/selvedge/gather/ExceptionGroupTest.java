package dev.selvedge.gather;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.selvedge.Loop;
import dev.selvedge.Suppressed;
import dev.selvedge.Task;
import dev.selvedge.Threads;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.DisplayName;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ExceptionGroupTest {
  @RegisterExtension static final SelvedgeExtension SELVEDGE = Kit.extension();

  private final IOException io = new IOException("io");
  private final SQLException sql = new SQLException("sql");
  private final Error error = new AssertionError("error");
  private final ExceptionGroup nested = ExceptionGroup.of("nested", List.of(sql, error));
  private final ExceptionGroup group = ExceptionGroup.of(List.of(io, nested));

  private static final Predicate<Throwable> IS_SQL = SQLException.class::isInstance;

  @Test
  @DisplayName("it lists its members; the first is the cause and the others are suppressed [TG-05]")
  void members() {
    assertThat(group.exceptions()).containsExactly(io, nested);
    assertThatThrownBy(() -> group.exceptions().set(0, sql))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThat(group).hasCause(io);
    assertThat(group.getSuppressed()).containsExactly(nested);
  }

  @Test
  @DisplayName("the message names the members and is bounded")
  void theMessage() {
    assertThat(group)
        .hasMessageStartingWith("2 failures: java.io.IOException: io; ")
        .hasMessageContaining("nested: 2 failures: java.sql.SQLException: sql");
    assertThat(ExceptionGroup.of("pages", List.of(io)))
        .hasMessage("pages: 1 failure: java.io.IOException: io");
    List<IOException> many =
        IntStream.range(0, 1000).mapToObj(i -> new IOException("x".repeat(1000))).toList();
    assertThat(ExceptionGroup.of(many).getMessage()).hasSizeLessThan(1200).endsWith("; ...");
    var broken =
        new RuntimeException() {
          @Override
          public String getMessage() {
            throw new IllegalStateException("no message");
          }
        };
    assertThat(ExceptionGroup.of(List.of(broken))).hasMessageContaining("printing it threw");
  }

  @Test
  @DisplayName("a stack trace shows every member, more than sixteen too")
  void theStackTrace() {
    List<IOException> many =
        IntStream.range(0, 40).mapToObj(i -> new IOException("member " + i + ".")).toList();
    var text = new StringWriter();
    ExceptionGroup.of(many).printStackTrace(new PrintWriter(text, true));

    for (IOException member : many) {
      assertThat(text.toString()).contains(member.getMessage());
    }
    assertThat(text.toString()).contains("ExceptionGroupTest.theStackTrace");
  }

  @Test
  @DisplayName("one exception at two places is listed twice and shown once")
  void theSameTwice() {
    ExceptionGroup twice = ExceptionGroup.of(List.of(io, sql, io, sql));

    assertThat(twice.exceptions()).containsExactly(io, sql, io, sql);
    assertThat(twice.getSuppressed()).containsExactly(sql);
  }

  @Test
  @DisplayName("a group has members, none of them null")
  void badInput() {
    assertThatThrownBy(() -> ExceptionGroup.of(List.of()))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("exceptions");
    assertThatThrownBy(() -> ExceptionGroup.of(Arrays.asList(io, null)))
        .isInstanceOf(NullPointerException.class)
        .hasMessageContaining("exceptions[1]");
    assertThatThrownBy(() -> group.split(null)).hasMessageContaining("condition");
    assertThatThrownBy(() -> group.throwIf(null)).hasMessageContaining("type");
  }

  @Test
  @DisplayName(
      "throwIf throws the first of a type with all others suppressed, and returns if there is none")
  void throwIf() {
    assertThat(catchThrowable(() -> group.throwIf(SQLException.class))).isSameAs(sql);
    assertThat(Suppressed.in(sql)).containsExactly(io, error);
    assertThat(catchThrowable(() -> group.throwIf(SQLException.class))).isSameAs(sql);
    assertThat(Suppressed.in(sql)).containsExactly(io, error);
    assertThat(catchThrowable(() -> group.throwIf(Exception.class))).isSameAs(io);
    assertThat(Suppressed.in(io)).containsExactly(sql, error);
    assertThatCode(() -> group.throwIf(InterruptedException.class)).doesNotThrowAnyException();
    assertThat(catchThrowable(() -> group.throwIf(ExceptionGroup.class))).isSameAs(nested);
  }

  @Test
  @DisplayName("throwIf takes along what a scope has suppressed in a nested group")
  void throwIfTakesAlongWhatIsSuppressedInAGroup() {
    var late = new IllegalStateException("suppressed by a scope");
    nested.addSuppressed(late);

    assertThat(catchThrowable(() -> group.throwIf(SQLException.class))).isSameAs(sql);

    assertThat(Suppressed.in(sql)).contains(late);
  }

  @Test
  @DisplayName("throwIf with more than sixteen others: the rest goes to the handler of the loop")
  void throwIfOfMany() throws Exception {
    List<IOException> many =
        IntStream.range(0, 20).mapToObj(i -> new IOException("member " + i)).toList();
    var reported = new RecordingHandler();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() -> {
        Throwable thrown = catchThrowable(() -> ExceptionGroup.of(many).throwIf(IOException.class));
        assertThat(Suppressed.in(thrown)).isEqualTo(many.subList(1, 17));
      });
    }
    assertThat(reported.exceptions()).isEqualTo(many.subList(17, 20));
  }

  @Test
  @DisplayName("the traces that explain an exception take no place from the failures in it")
  void throwIfOfOneWithTraces() throws Exception {
    List<IOException> many =
        IntStream.range(0, 17).mapToObj(i -> new IOException("member " + i)).toList();
    var reported = new RecordingHandler();
    try (Loop loop = Threads.builder().debug(true).exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() -> {
        Task<String, IOException> failed =
            loop.createTask(() -> {
              throw many.getFirst();
            });
        assertThat(catchThrowable(failed::await).getSuppressed()).isNotEmpty();
        Throwable thrown = catchThrowable(() -> ExceptionGroup.of(many).throwIf(IOException.class));
        assertThat(Suppressed.in(thrown)).isEqualTo(many.subList(1, 17));
      });
    }
    assertThat(reported.exceptions()).isEmpty();
  }

  /** Takes nothing along. */
  private static final class Refusing extends Exception {
    private static final long serialVersionUID = 1L;

    Refusing() {
      super("refusing", null, false, true);
    }
  }

  @Test
  @DisplayName("throwIf of one that takes no other along: they go to the handler of the loop")
  void throwIfOfOneThatRefuses() throws Exception {
    var refusing = new Refusing();
    var other = new IOException("other");
    var reported = new RecordingHandler();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() ->
          assertThat(
                  catchThrowable(
                      () -> ExceptionGroup.of(List.of(refusing, other)).throwIf(Refusing.class)))
              .isSameAs(refusing));
    }
    assertThat(reported.exceptions()).containsExactly(other);
  }

  @Test
  @DisplayName("subgroup keeps what meets a condition, nested as it was")
  void subgroup() {
    ExceptionGroup some = group.subgroup(IS_SQL).orElseThrow();

    assertThat(some.exceptions())
        .singleElement()
        .isInstanceOfSatisfying(
            ExceptionGroup.class,
            inner -> {
              assertThat(inner.exceptions()).containsExactly(sql);
              assertThat(inner).hasMessageStartingWith("nested: 1 failure");
            });
    assertThat(some.getStackTrace()).isEqualTo(group.getStackTrace());
    assertThat(group.subgroup(InterruptedException.class::isInstance)).isEmpty();
  }

  @Test
  @DisplayName("split divides; a half with all members is the group itself")
  void split() {
    ExceptionGroup.Split halves = group.split(IS_SQL);

    assertThat(halves.matching()).isEqualTo(Optional.of(halves.matching().orElseThrow()));
    assertThat(halves.rest().orElseThrow().exceptions()).hasSize(2).startsWith(io);
    assertThat(group.split(ExceptionGroup.class::isInstance))
        .isEqualTo(new ExceptionGroup.Split(Optional.of(group), Optional.empty()));
    assertThat(group.split(InterruptedException.class::isInstance))
        .isEqualTo(new ExceptionGroup.Split(Optional.empty(), Optional.of(group)));
    ExceptionGroup.Split byGroup = group.split(nested::equals);
    assertThat(byGroup.matching().orElseThrow().exceptions()).containsExactly(nested);
    assertThat(byGroup.rest().orElseThrow().exceptions()).containsExactly(io);
  }

  @Test
  @DisplayName("it survives serialisation with members and nesting")
  void serialisation() throws Exception {
    var bytes = new ByteArrayOutputStream();
    try (var out = new ObjectOutputStream(bytes)) {
      out.writeObject(group);
    }
    ExceptionGroup copy;
    try (var in = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
      copy = (ExceptionGroup) in.readObject();
    }

    assertThat(copy).hasMessage(group.getMessage());
    assertThat(copy.exceptions()).hasSize(2);
    assertThat(copy.exceptions().get(0)).isInstanceOf(IOException.class).hasMessage("io");
    assertThat(((ExceptionGroup) copy.exceptions().get(1)).exceptions())
        .extracting(Throwable::getMessage)
        .containsExactly("sql", "error");
  }

  @Test
  @DisplayName("what is suppressed in a group besides its members is kept by a split, once")
  void splitKeepsWhatIsSuppressed() {
    var late = new IllegalStateException("late");
    var first = new IOException("a");
    var second = new SQLException("b");
    var nested = ExceptionGroup.of(List.of(first, second));
    nested.addSuppressed(late);
    var group = ExceptionGroup.of(List.of(nested));

    ExceptionGroup.Split halves = group.split(IOException.class::isInstance);

    Throwable rest = halves.rest().orElseThrow().exceptions().getFirst();
    assertThat(rest.getSuppressed()).containsExactly(late);
    Throwable matching = halves.matching().orElseThrow().exceptions().getFirst();
    assertThat(matching.getSuppressed()).isEmpty();
    assertThat(nested.getSuppressed()).containsExactly(second, late);
    assertThat(group.subgroup(each -> each == first || each == second).orElseThrow())
        .isSameAs(group);
  }

  @Test
  @DisplayName("throwIf reports what the first did not take once, however often it is called")
  void throwIfReportsOnce() throws Exception {
    List<Exception> many = new ArrayList<>();
    IntStream.range(0, 20).forEach(i -> many.add(new IOException("member " + i)));
    many.add(1, sql);
    ExceptionGroup all = ExceptionGroup.of(many);
    var reported = new RecordingHandler();
    try (Loop loop = Threads.builder().exceptionHandler(reported).build()) {
      loop.<Exception>runUntilComplete(() -> {
        assertThat(catchThrowable(() -> all.throwIf(IOException.class))).isSameAs(many.get(0));
        assertThat(catchThrowable(() -> all.throwIf(IOException.class))).isSameAs(many.get(0));
        assertThat(catchThrowable(() -> all.throwIf(SQLException.class))).isSameAs(sql);
      });
    }
    assertThat(reported.exceptions()).isEqualTo(many.subList(17, 21));
  }

  @Test
  @DisplayName("an exception that cannot print itself is named by its class")
  void unprintable() {
    for (RuntimeException broken : Unprintable.all()) {
      assertThat(ExceptionGroup.of(List.of(broken, io)))
          .hasMessageContaining(broken.getClass().getName())
          .hasMessageEndingWith("; " + io);
    }
  }
}
