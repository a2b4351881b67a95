package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import dev.selvedge.Timeout;
import dev.selvedge.gather.Gather.Function3;
import dev.selvedge.gather.Gather.Function4;
import dev.selvedge.gather.Gather.Function5;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What the verbs of {@link Gather} have in common: a name, a limit in time, a limit of concurrency.
 * Immutable; start with {@link Gather#options}.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="options"}
 *
 * <p>With a limit in time a verb also throws {@link TimeoutException}, as {@link Timeout#within}
 * does; the type parameter says so.
 *
 * @param <Y> {@link TimeoutException} if there is a limit in time, else {@link RuntimeException}
 * @since 0.1.0
 */
public final class GatherOptions<Y extends Exception> {
  static final GatherOptions<RuntimeException> NONE = new GatherOptions<>(null, null, 0);

  private final @Nullable String name;
  private final @Nullable Duration limit;

  /** Zero if it was not set. */
  private final int atOnce;

  private GatherOptions(@Nullable String name, @Nullable Duration limit, int atOnce) {
    this.name = name;
    this.limit = limit;
    this.atOnce = atOnce;
  }

  /**
   * Names the group in the task tree, and its children after it and their number.
   *
   * @param name the name
   * @return these options with the name
   */
  public GatherOptions<Y> name(String name) {
    return new GatherOptions<>(requireNonNull(name, "name"), limit, atOnce);
  }

  /**
   * Limits the time of the call. When it is reached the children are cancelled and waited for, and
   * {@link TimeoutException} is thrown with their failures suppressed in it. There is no result
   * then, of {@code settle} neither: for what is done by a deadline see {@link
   * Gather#waitUntil(ReturnWhen, Collection, Duration)}.
   *
   * <p>The children inherit the deadline, see {@link dev.selvedge.Timeout#deadline}. Those of a
   * stream do not: its limit counts from the call that makes it. When it is reached they are
   * cancelled, also while the reader is busy, and reading on throws.
   *
   * @param limit how long; zero or less is reached at once
   * @return these options with the limit
   */
  public GatherOptions<TimeoutException> limit(Duration limit) {
    return new GatherOptions<>(name, requireNonNull(limit, "limit"), atOnce);
  }

  /**
   * Limits how many children run at the same time. The others have no thread before it is their
   * turn.
   *
   * @param concurrency how many, at least 1
   * @return these options with the limit
   * @throws IllegalArgumentException if it is less than 1
   */
  public GatherOptions<Y> concurrency(int concurrency) {
    if (concurrency < 1) {
      throw new IllegalArgumentException(
          "the limit of concurrency is " + concurrency + ": at least one has to run");
    }
    return new GatherOptions<>(name, limit, concurrency);
  }

  // ---- all of them

  /**
   * As {@link Gather#gather(Body...)}, with these options.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the values in the order of the bodies, unmodifiable; empty at once if there are none
   * @throws X the first failure, the very object
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object, X extends Exception> List<T> gather(
      Body<? extends T, ? extends X>... bodies) throws X, Y, InterruptedException {
    return gather(Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#gather(Collection)}, with these options.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the values in the order of the bodies, unmodifiable; empty at once if there are none
   * @throws X the first failure, the very object
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <T extends @Nullable Object, X extends Exception> List<T> gather(
      Collection<? extends Body<? extends T, ? extends X>> bodies)
      throws X, Y, InterruptedException {
    List<? extends Body<? extends T, ? extends X>> checked = Members.checked(bodies, "bodies");
    return limited(() -> Together.<T, X>gather(name, concurrency(), checked));
  }

  /**
   * As {@link Gather#gather(Action...)}, with these options.
   *
   * @param <X> the checked exception of the actions
   * @param actions what to run
   * @throws X the first failure, the very object
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <X extends Exception> void gather(Action<? extends X>... actions)
      throws X, Y, InterruptedException {
    this.<@Nullable Void, X>gather(Members.bodies(actions));
  }

  /**
   * As {@link Gather#settle(Body...)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in the order of the bodies, unmodifiable; that of an existing task is its
   *     own
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object> List<Outcome<T>> settle(Body<? extends T, ?>... bodies)
      throws Y, InterruptedException {
    return settle(Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#settle(Collection)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in the order of the bodies, unmodifiable; that of an existing task is its
   *     own
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <T extends @Nullable Object> List<Outcome<T>> settle(
      Collection<? extends Body<? extends T, ?>> bodies) throws Y, InterruptedException {
    List<? extends Body<? extends T, ?>> checked = Members.checked(bodies, "bodies");
    return limited(() -> Together.<T>settle(name, concurrency(), checked));
  }

  /**
   * As {@link Gather#settle(Action...)}, with these options.
   *
   * @param actions what to run
   * @return the outcomes in the order of the actions, unmodifiable
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public List<Outcome<@Nullable Void>> settle(Action<?>... actions) throws Y, InterruptedException {
    return this.<@Nullable Void>settle(Members.bodies(actions));
  }

  /**
   * As {@link Gather#zip(Body, Body, BiFunction)}, with these options.
   *
   * @param <A> the type of the value of a
   * @param <B> the type of the value of b
   * @param <R> the type of the result
   * @param <X1> the checked exception of a
   * @param <X2> the checked exception of b
   * @param a what to run
   * @param b what to run
   * @param combine is given the values, in the caller's thread
   * @return what {@code combine} returns
   * @throws X1 the failure of a, if it is the first
   * @throws X2 the failure of b, if it is the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <
          A extends @Nullable Object,
          B extends @Nullable Object,
          R extends @Nullable Object,
          X1 extends Exception,
          X2 extends Exception>
      R zip(
          Body<? extends A, ? extends X1> a,
          Body<? extends B, ? extends X2> b,
          BiFunction<? super A, ? super B, ? extends R> combine)
          throws X1, X2, Y, InterruptedException {
    requireNonNull(a, "a");
    requireNonNull(b, "b");
    requireNonNull(combine, "combine");
    List<?> values = Zip.values(this, a, b);
    return combine.apply(Zip.at(values, 0), Zip.at(values, 1));
  }

  /**
   * As {@link Gather#zip(Body, Body, Body, Function3)}, with these options.
   *
   * @param <A> the type of the value of a
   * @param <B> the type of the value of b
   * @param <C> the type of the value of c
   * @param <R> the type of the result
   * @param <X1> the checked exception of a
   * @param <X2> the checked exception of b
   * @param <X3> the checked exception of c
   * @param a what to run
   * @param b what to run
   * @param c what to run
   * @param combine is given the values, in the caller's thread
   * @return what {@code combine} returns
   * @throws X1 the failure of a, if it is the first
   * @throws X2 the failure of b, if it is the first
   * @throws X3 the failure of c, if it is the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <
          A extends @Nullable Object,
          B extends @Nullable Object,
          C extends @Nullable Object,
          R extends @Nullable Object,
          X1 extends Exception,
          X2 extends Exception,
          X3 extends Exception>
      R zip(
          Body<? extends A, ? extends X1> a,
          Body<? extends B, ? extends X2> b,
          Body<? extends C, ? extends X3> c,
          Function3<? super A, ? super B, ? super C, ? extends R> combine)
          throws X1, X2, X3, Y, InterruptedException {
    requireNonNull(a, "a");
    requireNonNull(b, "b");
    requireNonNull(c, "c");
    requireNonNull(combine, "combine");
    List<?> values = Zip.values(this, a, b, c);
    return combine.apply(Zip.at(values, 0), Zip.at(values, 1), Zip.at(values, 2));
  }

  /**
   * As {@link Gather#zip(Body, Body, Body, Body, Function4)}, with these options.
   *
   * @param <A> the type of the value of a
   * @param <B> the type of the value of b
   * @param <C> the type of the value of c
   * @param <D> the type of the value of d
   * @param <R> the type of the result
   * @param <X1> the checked exception of a
   * @param <X2> the checked exception of b
   * @param <X3> the checked exception of c
   * @param <X4> the checked exception of d
   * @param a what to run
   * @param b what to run
   * @param c what to run
   * @param d what to run
   * @param combine is given the values, in the caller's thread
   * @return what {@code combine} returns
   * @throws X1 the failure of a, if it is the first
   * @throws X2 the failure of b, if it is the first
   * @throws X3 the failure of c, if it is the first
   * @throws X4 the failure of d, if it is the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <
          A extends @Nullable Object,
          B extends @Nullable Object,
          C extends @Nullable Object,
          D extends @Nullable Object,
          R extends @Nullable Object,
          X1 extends Exception,
          X2 extends Exception,
          X3 extends Exception,
          X4 extends Exception>
      R zip(
          Body<? extends A, ? extends X1> a,
          Body<? extends B, ? extends X2> b,
          Body<? extends C, ? extends X3> c,
          Body<? extends D, ? extends X4> d,
          Function4<? super A, ? super B, ? super C, ? super D, ? extends R> combine)
          throws X1, X2, X3, X4, Y, InterruptedException {
    requireNonNull(a, "a");
    requireNonNull(b, "b");
    requireNonNull(c, "c");
    requireNonNull(d, "d");
    requireNonNull(combine, "combine");
    List<?> values = Zip.values(this, a, b, c, d);
    return combine.apply(
        Zip.at(values, 0), Zip.at(values, 1), Zip.at(values, 2), Zip.at(values, 3));
  }

  /**
   * As {@link Gather#zip(Body, Body, Body, Body, Body, Function5)}, with these options.
   *
   * @param <A> the type of the value of a
   * @param <B> the type of the value of b
   * @param <C> the type of the value of c
   * @param <D> the type of the value of d
   * @param <E> the type of the value of e
   * @param <R> the type of the result
   * @param <X1> the checked exception of a
   * @param <X2> the checked exception of b
   * @param <X3> the checked exception of c
   * @param <X4> the checked exception of d
   * @param <X5> the checked exception of e
   * @param a what to run
   * @param b what to run
   * @param c what to run
   * @param d what to run
   * @param e what to run
   * @param combine is given the values, in the caller's thread
   * @return what {@code combine} returns
   * @throws X1 the failure of a, if it is the first
   * @throws X2 the failure of b, if it is the first
   * @throws X3 the failure of c, if it is the first
   * @throws X4 the failure of d, if it is the first
   * @throws X5 the failure of e, if it is the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <
          A extends @Nullable Object,
          B extends @Nullable Object,
          C extends @Nullable Object,
          D extends @Nullable Object,
          E extends @Nullable Object,
          R extends @Nullable Object,
          X1 extends Exception,
          X2 extends Exception,
          X3 extends Exception,
          X4 extends Exception,
          X5 extends Exception>
      R zip(
          Body<? extends A, ? extends X1> a,
          Body<? extends B, ? extends X2> b,
          Body<? extends C, ? extends X3> c,
          Body<? extends D, ? extends X4> d,
          Body<? extends E, ? extends X5> e,
          Function5<? super A, ? super B, ? super C, ? super D, ? super E, ? extends R> combine)
          throws X1, X2, X3, X4, X5, Y, InterruptedException {
    requireNonNull(a, "a");
    requireNonNull(b, "b");
    requireNonNull(c, "c");
    requireNonNull(d, "d");
    requireNonNull(e, "e");
    requireNonNull(combine, "combine");
    List<?> values = Zip.values(this, a, b, c, d, e);
    return combine.apply(
        Zip.at(values, 0),
        Zip.at(values, 1),
        Zip.at(values, 2),
        Zip.at(values, 3),
        Zip.at(values, 4));
  }

  // ---- some of them

  /**
   * As {@link Gather#any(Body...)}, with these options.
   *
   * @param <T> the type of the value
   * @param bodies what to run
   * @return the first value
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object> T any(Body<? extends T, ?>... bodies)
      throws ExceptionGroup, Y, InterruptedException {
    return this.<T>winner(bodies).value();
  }

  /**
   * As {@link Gather#any(Collection)}, with these options.
   *
   * @param <T> the type of the value
   * @param bodies what to run
   * @return the first value
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public <T extends @Nullable Object> T any(Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, Y, InterruptedException {
    return this.<T>winner(bodies).value();
  }

  /**
   * As {@link Gather#any(Action...)}, with these options.
   *
   * @param actions what to run
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public void any(Action<?>... actions) throws ExceptionGroup, Y, InterruptedException {
    this.<@Nullable Void>winner(Members.bodies(actions));
  }

  /**
   * As {@link Gather#winner(Body...)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the first success and the failures that were tolerated
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object> Winner<T> winner(Body<? extends T, ?>... bodies)
      throws ExceptionGroup, Y, InterruptedException {
    return winner(Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#winner(Collection)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the first success and the failures that were tolerated
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public <T extends @Nullable Object> Winner<T> winner(
      Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, Y, InterruptedException {
    return limited(() -> {
      try (var first = first("any", bodies, 1)) {
        return first.winner();
      }
    });
  }

  /**
   * As {@link Gather#race(Body...)}, with these options.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the value of the first
   * @throws X the failure of the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object, X extends Exception> T race(
      Body<? extends T, ? extends X>... bodies) throws X, Y, InterruptedException {
    return race(Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#race(Collection)}, with these options.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the value of the first
   * @throws X the failure of the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public <T extends @Nullable Object, X extends Exception> T race(
      Collection<? extends Body<? extends T, ? extends X>> bodies)
      throws X, Y, InterruptedException {
    return limited(() -> {
      try (First<T> first = first("race", bodies, 1)) {
        @SuppressWarnings("unchecked") // of one of these bodies
        var winner = (Task<T, X>) (Task<T, ?>) first.race();
        return winner.result();
      }
    });
  }

  /**
   * As {@link Gather#race(Action...)}, with these options.
   *
   * @param <X> the checked exception of the actions
   * @param actions what to run
   * @throws X the failure of the first
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <X extends Exception> void race(Action<? extends X>... actions)
      throws X, Y, InterruptedException {
    this.<@Nullable Void, X>race(Members.bodies(actions));
  }

  /**
   * As {@link Gather#quorum(int, Body...)}, with these options.
   *
   * @param <T> the type of the values
   * @param needed how many have to succeed
   * @param bodies what to run
   * @return the first {@code needed} values, in order of completion, unmodifiable
   * @throws ExceptionGroup if so many successes cannot be reached: the failures, in the order of
   *     the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code needed} is less than 1 or more than there are bodies
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object> List<T> quorum(
      int needed, Body<? extends T, ?>... bodies) throws ExceptionGroup, Y, InterruptedException {
    return quorum(needed, Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#quorum(int, Collection)}, with these options.
   *
   * @param <T> the type of the values
   * @param needed how many have to succeed
   * @param bodies what to run
   * @return the first {@code needed} values, in order of completion, unmodifiable
   * @throws ExceptionGroup if so many successes cannot be reached: the failures, in the order of
   *     the bodies
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code needed} is less than 1 or more than there are bodies
   */
  public <T extends @Nullable Object> List<T> quorum(
      int needed, Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, Y, InterruptedException {
    return limited(() -> {
      try (First<T> first = first("quorum", bodies, needed)) {
        return first.quorum(needed);
      }
    });
  }

  /**
   * As {@link Gather#hedge(Duration, int, Body)}, with these options.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param delay how long an attempt may take before the next one starts; zero: all start at once
   * @param times how many attempts there may be in all
   * @param body what to run
   * @return the first value
   * @throws X the first failure, if all attempts failed; the others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code delay} is negative or {@code times} less than 1
   */
  public <T extends @Nullable Object, X extends Exception> T hedge(
      Duration delay, int times, Body<? extends T, ? extends X> body)
      throws X, Y, InterruptedException {
    requireNonNull(delay, "delay");
    requireNonNull(body, "body");
    if (delay.isNegative()) {
      throw new IllegalArgumentException("delay is " + delay + ": it must not be negative");
    }
    if (times < 1) {
      throw new IllegalArgumentException("times is " + times + ": at least one attempt is needed");
    }
    return limited(() -> {
      try (var hedge = new Hedge<T, X>(name, concurrency(), body)) {
        return hedge.call(delay, times);
      }
    });
  }

  /**
   * As {@link Gather#hedge(Duration, int, Action)}, with these options.
   *
   * @param <X> the checked exception of the action
   * @param delay how long an attempt may take before the next one starts; zero: all start at once
   * @param times how many attempts there may be in all
   * @param action what to run
   * @throws X the first failure, if all attempts failed; the others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code delay} is negative or {@code times} less than 1
   */
  public <X extends Exception> void hedge(Duration delay, int times, Action<? extends X> action)
      throws X, Y, InterruptedException {
    this.<@Nullable Void, X>hedge(delay, times, Members.body(requireNonNull(action, "action")));
  }

  // ---- many of them

  /**
   * As {@link Gather#map(Iterable, int, Mapper)}, with these options.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param mapper what to do with each
   * @return the values in the order of the inputs, unmodifiable
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalStateException if no concurrency was set
   */
  public <A extends @Nullable Object, T extends @Nullable Object, X extends Exception> List<T> map(
      Iterable<? extends A> inputs, Mapper<? super A, ? extends T, ? extends X> mapper)
      throws X, Y, InterruptedException {
    Mapping<A, T, X> mapping = mapping(inputs, mapper);
    return limited(mapping::toList);
  }

  /**
   * As {@link Gather#settleMap(Iterable, int, Mapper)}, with these options.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param mapper what to do with each
   * @return the outcomes in the order of the inputs, unmodifiable
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalStateException if no concurrency was set
   */
  public <A extends @Nullable Object, T extends @Nullable Object> List<Outcome<T>> settleMap(
      Iterable<? extends A> inputs, Mapper<? super A, ? extends T, ?> mapper)
      throws Y, InterruptedException {
    Mapping<A, T, Exception> mapping = mapping(inputs, mapper);
    return limited(mapping::settle);
  }

  /**
   * As {@link Gather#forEach(Iterable, int, Visitor)}, with these options.
   *
   * @param <A> the type of the inputs
   * @param <X> the checked exception of the visitor
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param visitor what to do with each
   * @throws X the first failure, the very object, be it of the visitor or of {@code inputs}; the
   *     others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalStateException if no concurrency was set
   */
  public <A extends @Nullable Object, X extends Exception> void forEach(
      Iterable<? extends A> inputs, Visitor<? super A, ? extends X> visitor)
      throws X, Y, InterruptedException {
    requireNonNull(visitor, "visitor");
    Mapping<A, @Nullable Void, X> mapping =
        mapping(
            inputs,
            input -> {
              visitor.accept(input);
              return null;
            });
    limited(Members.<X>body(mapping::forEach));
  }

  /**
   * As {@link Gather#stream(Iterable, int, Mapper)}, with these options.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param mapper what to do with each
   * @return the values in the order of the inputs
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalStateException if no concurrency was set
   */
  public <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      Stream<T> stream(
          Iterable<? extends A> inputs, Mapper<? super A, ? extends T, ? extends X> mapper)
          throws X, Y, InterruptedException {
    return this.<A, T, X>mapping(inputs, mapper).stream(limit);
  }

  /**
   * As {@link Gather#streamCompleted(Iterable, int, Mapper)}, with these options.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param mapper what to do with each
   * @return the values in order of completion
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalStateException if no concurrency was set
   */
  public <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      Stream<T> streamCompleted(
          Iterable<? extends A> inputs, Mapper<? super A, ? extends T, ? extends X> mapper)
          throws X, Y, InterruptedException {
    return this.<A, T, X>mapping(inputs, mapper).streamCompleted(limit);
  }

  /**
   * As {@link Gather#asCompleted(Body...)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in order of completion
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public final <T extends @Nullable Object> Stream<Outcome<T>> asCompleted(
      Body<? extends T, ?>... bodies) throws Y, InterruptedException {
    return asCompleted(Arrays.asList(requireNonNull(bodies, "bodies")));
  }

  /**
   * As {@link Gather#asCompleted(Collection)}, with these options.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in order of completion
   * @throws Y if the limit in time is reached; failures are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public <T extends @Nullable Object> Stream<Outcome<T>> asCompleted(
      Collection<? extends Body<? extends T, ?>> bodies) throws Y, InterruptedException {
    List<? extends Body<? extends T, ?>> checked =
        Members.distinct(Members.checked(bodies, "bodies"));
    return Completed.stream(name, concurrency(), limit, checked);
  }

  // ---- the rest

  /**
   * As {@link TaskGroup#call}, with these options.
   *
   * @param <T> the type of the value
   * @param body what to run
   * @return its value
   * @throws ExceptionGroup as that one
   * @throws Y if the limit in time is reached
   * @throws InterruptedException as that one
   * @throws IllegalStateException if a limit of concurrency is set: a group decides for itself what
   *     runs
   */
  public <T extends @Nullable Object> T group(GroupBody<? extends T> body)
      throws ExceptionGroup, Y, InterruptedException {
    requireNonNull(body, "body");
    if (atOnce != 0) {
      throw new IllegalStateException("a group takes no limit of concurrency: leave it out");
    }
    return limited(() -> TaskGroup.call(name, body));
  }

  private int concurrency() {
    return atOnce == 0 ? Integer.MAX_VALUE : atOnce;
  }

  private <T extends @Nullable Object> First<T> first(
      String verb, Collection<? extends Body<? extends T, ?>> bodies, int needed) {
    List<? extends Body<? extends T, ?>> checked = Members.checked(bodies, "bodies");
    int distinct = Members.distinct(checked).size();
    if (needed < 1 || distinct < needed) {
      throw new IllegalArgumentException(
          needed + " of " + distinct + " bodies cannot succeed: give more, or need fewer");
    }
    return new First<>(verb, name, concurrency(), checked);
  }

  private <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      Mapping<A, T, X> mapping(
          Iterable<? extends A> inputs, Mapper<? super A, ? extends T, ? extends X> mapper) {
    if (atOnce == 0) {
      throw new IllegalStateException("say how many may run at once: concurrency(n)");
    }
    return new Mapping<>(
        name, atOnce, requireNonNull(inputs, "inputs"), requireNonNull(mapper, "mapper"));
  }

  @SuppressWarnings("unchecked") // with a limit, Y is TimeoutException
  private <T extends @Nullable Object, X extends Exception> T limited(
      Body<? extends T, ? extends X> verb) throws X, Y, InterruptedException {
    if (limit == null) {
      return verb.call();
    }
    try {
      return Timeout.within(limit, verb);
    } catch (TimeoutException e) {
      throw (Y) e;
    }
  }

  @Override
  public String toString() {
    return "GatherOptions[name="
        + name
        + ", limit="
        + limit
        + ", concurrency="
        + (atOnce == 0 ? "unlimited" : atOnce)
        + "]";
  }
}
