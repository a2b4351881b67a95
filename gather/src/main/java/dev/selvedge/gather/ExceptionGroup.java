package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;
import static java.util.Objects.requireNonNullElse;

import dev.selvedge.TaskTrace;
import java.io.Serial;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Several failures as one exception: Python's {@code ExceptionGroup}. Who throws it throws it also
 * for a single failure.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="exception-group"}
 *
 * <p>The first failure is the {@linkplain #getCause() cause} and the others are suppressed, so that
 * a stack trace shows them all; {@link #exceptions} lists them. A member may be a group itself.
 *
 * @since 0.1.0
 */
public final class ExceptionGroup extends Exception {
  @Serial private static final long serialVersionUID = 1L;

  /** So many members are in the message, each with so many characters. */
  private static final int NAMED = 5;

  private static final int LONGEST = 200;

  /** What the maker called it. */
  private final @Nullable String title;

  /** The members, in their order. */
  private final Throwable[] exceptions;

  /** What {@link #throwIf} has given to the handler; null before that. */
  private transient @Nullable Set<Throwable> reported;

  private ExceptionGroup(@Nullable String title, Throwable[] exceptions) {
    super(message(title, exceptions), exceptions[0]);
    this.title = title;
    this.exceptions = exceptions;
    Set<Throwable> shown = Collections.newSetFromMap(new IdentityHashMap<>());
    shown.add(exceptions[0]);
    for (Throwable exception : exceptions) {
      if (shown.add(exception)) {
        addSuppressed(exception);
      }
    }
  }

  /**
   * A group with a message that names its members.
   *
   * @param exceptions the members, at least one
   * @return the group
   * @throws IllegalArgumentException if there are none
   */
  public static ExceptionGroup of(List<? extends Throwable> exceptions) {
    return new ExceptionGroup(null, checked(exceptions));
  }

  /**
   * A group with a title before the names of its members.
   *
   * @param title what failed
   * @param exceptions the members, at least one
   * @return the group
   * @throws IllegalArgumentException if there are none
   */
  public static ExceptionGroup of(String title, List<? extends Throwable> exceptions) {
    return new ExceptionGroup(requireNonNull(title, "title"), checked(exceptions));
  }

  private static Throwable[] checked(List<? extends Throwable> exceptions) {
    Throwable[] members = requireNonNull(exceptions, "exceptions").toArray(Throwable[]::new);
    if (members.length == 0) {
      throw new IllegalArgumentException("exceptions is empty: a group has at least one member");
    }
    for (int i = 0; i < members.length; i++) {
      requireNonNull(members[i], "exceptions[" + i + "]");
    }
    return members;
  }

  private static String message(@Nullable String title, Throwable[] exceptions) {
    var text = new StringBuilder(title == null ? "" : title + ": ");
    text.append(exceptions.length).append(exceptions.length == 1 ? " failure: " : " failures: ");
    for (int i = 0; i < Math.min(NAMED, exceptions.length); i++) {
      text.append(i == 0 ? "" : "; ").append(describe(exceptions[i]));
    }
    return text.append(exceptions.length > NAMED ? "; ..." : "").toString();
  }

  /** As it prints itself, shortened; never throws. */
  static String describe(Throwable exception) {
    String name = exception.getClass().getName();
    String text;
    try {
      text = requireNonNullElse(exception.toString(), name);
    } catch (Throwable broken) {
      text = name + " (printing it threw " + broken.getClass().getName() + ")";
    }
    return text.length() <= LONGEST ? text : text.substring(0, LONGEST) + "...";
  }

  /**
   * The members, in the order in which they failed or as the verb that throws the group says.
   *
   * @return the members, unmodifiable
   */
  public List<Throwable> exceptions() {
    return Collections.unmodifiableList(Arrays.asList(exceptions));
  }

  /**
   * Throws the first failure of a type, if there is one, with all other failures suppressed in it
   * (at most 16, the rest goes to the handler of the current loop, once). Nested groups are
   * searched too.
   *
   * @param <Y> the type
   * @param type the type
   * @throws Y the first failure of the type
   */
  public <Y extends Exception> void throwIf(Class<Y> type) throws Y {
    requireNonNull(type, "type");
    Throwable found = find(type);
    if (found != null) {
      Set<Throwable> own = Collections.newSetFromMap(new IdentityHashMap<>());
      own.addAll(leaves(found));
      List<Throwable> others =
          leaves(this).stream().filter(failure -> !own.contains(failure)).toList();
      Suppression.report(unreported(Suppression.left(found, others)));
      throw type.cast(found);
    }
  }

  private synchronized List<Throwable> unreported(List<Throwable> left) {
    Set<Throwable> before = reported;
    if (before == null) {
      before = Collections.newSetFromMap(new IdentityHashMap<>());
      reported = before;
    }
    return left.stream().filter(before::add).toList();
  }

  private @Nullable Throwable find(Class<?> type) {
    for (Throwable exception : exceptions) {
      if (type.isInstance(exception)) {
        return exception;
      }
      Throwable within = exception instanceof ExceptionGroup nested ? nested.find(type) : null;
      if (within != null) {
        return within;
      }
    }
    return null;
  }

  /** The failures in it; of a group also those that were suppressed in it besides its members. */
  private static List<Throwable> leaves(Throwable exception) {
    var leaves = new ArrayList<Throwable>();
    collect(exception, leaves, Collections.newSetFromMap(new IdentityHashMap<>()));
    return leaves;
  }

  private static void collect(Throwable exception, List<Throwable> leaves, Set<Throwable> seen) {
    if (!seen.add(exception)) {
      return;
    }
    if (exception instanceof ExceptionGroup group) {
      group.exceptions().forEach(member -> collect(member, leaves, seen));
      for (Throwable suppressed : group.getSuppressed()) {
        collect(suppressed, leaves, seen);
      }
    } else if (!(exception instanceof TaskTrace)) {
      leaves.add(exception);
    }
  }

  /**
   * Those members that meet a condition, in groups nested as they are here.
   *
   * @param condition is asked about a group first, and about its members if it does not hold
   * @return this group if all do, another if some do; empty if none does
   */
  public Optional<ExceptionGroup> subgroup(Predicate<? super Throwable> condition) {
    return split(condition).matching();
  }

  /**
   * The two halves of a group.
   *
   * @param matching the members that meet the condition; empty if none does
   * @param rest the others; empty if there are none
   */
  public record Split(Optional<ExceptionGroup> matching, Optional<ExceptionGroup> rest) {}

  /**
   * Divides the members by a condition, in groups nested as they are here. What is suppressed in a
   * group besides its members goes with the others, and if there are none with those that meet it.
   *
   * @param condition is asked about a group first, and about its members if it does not hold
   * @return those that meet it and the others; a half that has all members is this group
   */
  public Split split(Predicate<? super Throwable> condition) {
    if (requireNonNull(condition, "condition").test(this)) {
      return new Split(Optional.of(this), Optional.empty());
    }
    var matching = new ArrayList<Throwable>();
    var rest = new ArrayList<Throwable>();
    for (Throwable exception : exceptions) {
      if (exception instanceof ExceptionGroup nested) {
        Split halves = nested.split(condition);
        halves.matching().ifPresent(matching::add);
        halves.rest().ifPresent(rest::add);
      } else {
        (condition.test(exception) ? matching : rest).add(exception);
      }
    }
    Optional<ExceptionGroup> meeting = derive(matching);
    Optional<ExceptionGroup> others = derive(rest);
    others.or(() -> meeting).ifPresent(this::takeAlong);
    return new Split(meeting, others);
  }

  /** Nothing that is suppressed here is lost with this group: its members are there already. */
  @SuppressWarnings("ReferenceEquality") // the group itself
  private void takeAlong(ExceptionGroup half) {
    if (half != this) {
      Set<Throwable> members = Collections.newSetFromMap(new IdentityHashMap<>());
      members.addAll(exceptions());
      for (Throwable suppressed : getSuppressed()) {
        if (!members.contains(suppressed) && !(suppressed instanceof TaskTrace)) {
          half.addSuppressed(suppressed);
        }
      }
    }
  }

  @SuppressWarnings("ReferenceEquality") // an exception may call itself equal to others
  private Optional<ExceptionGroup> derive(List<Throwable> members) {
    if (members.isEmpty()) {
      return Optional.empty();
    }
    boolean same = members.size() == exceptions.length;
    for (int i = 0; same && i < exceptions.length; i++) {
      same = members.get(i) == exceptions[i];
    }
    if (same) {
      return Optional.of(this);
    }
    var derived = new ExceptionGroup(title, members.toArray(Throwable[]::new));
    derived.setStackTrace(getStackTrace());
    return Optional.of(derived);
  }
}
