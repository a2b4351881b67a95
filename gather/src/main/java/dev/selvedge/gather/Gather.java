package dev.selvedge.gather;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Action;
import dev.selvedge.Body;
import dev.selvedge.Outcome;
import dev.selvedge.Task;
import dev.selvedge.TaskCancelledException;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Runs many bodies at the same time and makes one answer of them: {@code asyncio.gather} and its
 * friends. Each body is a child, with a thread of its own, of a scope that ends with the call.
 *
 * {@snippet file="dev/selvedge/gather/SamplesTest.java" region="gather"}
 *
 * <p><b>Failure:</b> each verb says whose failure it throws. Every other failure is suppressed in
 * that one (at most 16, the rest goes to the loop's exception handler), listed, or tolerated by the
 * contract of the verb. None is dropped.
 *
 * <p><b>Cancellation:</b> cancelling the caller cancels all children. The verb waits for them and
 * throws {@link InterruptedException} with their failures suppressed in it.
 *
 * <p><b>Existing tasks:</b> a {@link Task} is a {@link Body}, so tasks and bodies mix. A task is
 * not run again but awaited, once, however often it occurs, by a child that takes it over: when the
 * verb fails, is cancelled or does not need the task any more, the task is cancelled and waited
 * for. {@link #shield} keeps a task out of that.
 *
 * <p><b>Options:</b> a name, a limit in time and a limit of concurrency come from {@link #options}.
 *
 * <p><b>Pitfall:</b> in the bodies {@code catch (Exception e)} catches cancellation too.
 *
 * @since 0.1.0
 */
public final class Gather {
  private Gather() {}

  /**
   * A function of three arguments.
   *
   * @param <A> the first
   * @param <B> the second
   * @param <C> the third
   * @param <R> the result
   */
  @FunctionalInterface
  public interface Function3<
      A extends @Nullable Object,
      B extends @Nullable Object,
      C extends @Nullable Object,
      R extends @Nullable Object> {
    /**
     * Applies it.
     *
     * @param a the first argument
     * @param b the second
     * @param c the third
     * @return the result
     */
    R apply(A a, B b, C c);
  }

  /**
   * A function of four arguments.
   *
   * @param <A> the first
   * @param <B> the second
   * @param <C> the third
   * @param <D> the fourth
   * @param <R> the result
   */
  @FunctionalInterface
  public interface Function4<
      A extends @Nullable Object,
      B extends @Nullable Object,
      C extends @Nullable Object,
      D extends @Nullable Object,
      R extends @Nullable Object> {
    /**
     * Applies it.
     *
     * @param a the first argument
     * @param b the second
     * @param c the third
     * @param d the fourth
     * @return the result
     */
    R apply(A a, B b, C c, D d);
  }

  /**
   * A function of five arguments.
   *
   * @param <A> the first
   * @param <B> the second
   * @param <C> the third
   * @param <D> the fourth
   * @param <E> the fifth
   * @param <R> the result
   */
  @FunctionalInterface
  public interface Function5<
      A extends @Nullable Object,
      B extends @Nullable Object,
      C extends @Nullable Object,
      D extends @Nullable Object,
      E extends @Nullable Object,
      R extends @Nullable Object> {
    /**
     * Applies it.
     *
     * @param a the first argument
     * @param b the second
     * @param c the third
     * @param d the fourth
     * @param e the fifth
     * @return the result
     */
    R apply(A a, B b, C c, D d, E e);
  }

  /**
   * The start of a call with options: none is set.
   *
   * @return the options
   */
  public static GatherOptions<RuntimeException> options() {
    return GatherOptions.NONE;
  }

  // ---- all of them

  /**
   * Runs the bodies at the same time and returns what they return: {@code asyncio.gather}. The
   * first failure cancels the others (reason {@code SIBLING_FAILURE}); when all have ended it is
   * thrown as itself, with later failures and those of clean-up suppressed in it. A member that
   * somebody else cancels does not cancel the others; its {@link TaskCancelledException} is thrown
   * in the end. For a {@link Task} among the bodies see the class.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the values in the order of the bodies, unmodifiable; empty at once if there are none
   * @throws X the first failure, the very object
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object, X extends Exception> List<T> gather(
      Body<? extends T, ? extends X>... bodies) throws X, InterruptedException {
    return GatherOptions.NONE.gather(bodies);
  }

  /**
   * Runs a collection of bodies at the same time and returns what they return.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the values in the order of the bodies, unmodifiable; empty at once if there are none
   * @throws X the first failure, the very object
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <T extends @Nullable Object, X extends Exception> List<T> gather(
      Collection<? extends Body<? extends T, ? extends X>> bodies) throws X, InterruptedException {
    return GatherOptions.NONE.gather(bodies);
  }

  /**
   * Runs the actions at the same time and waits for all.
   *
   * @param <X> the checked exception of the actions
   * @param actions what to run
   * @throws X the first failure, the very object
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <X extends Exception> void gather(Action<? extends X>... actions)
      throws X, InterruptedException {
    GatherOptions.NONE.gather(actions);
  }

  /**
   * Runs the bodies at the same time, waits for all, and says how each ended: {@code
   * gather(return_exceptions=True)}. Nobody's failure disturbs another, and none is thrown; all
   * count as retrieved.
   *
   * <p><b>Pitfall:</b> in a loop with {@link dev.selvedge.Loop.Builder#orphanAfter} a failure is
   * reported, too, if the call goes on for longer than that.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in the order of the bodies, unmodifiable; that of an existing task is its
   *     own
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object> List<Outcome<T>> settle(Body<? extends T, ?>... bodies)
      throws InterruptedException {
    return GatherOptions.NONE.settle(bodies);
  }

  /**
   * Runs a collection of bodies at the same time, waits for all, and says how each ended.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in the order of the bodies, unmodifiable; that of an existing task is its
   *     own
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <T extends @Nullable Object> List<Outcome<T>> settle(
      Collection<? extends Body<? extends T, ?>> bodies) throws InterruptedException {
    return GatherOptions.NONE.settle(bodies);
  }

  /**
   * Runs the actions at the same time, waits for all, and says how each ended.
   *
   * @param actions what to run
   * @return the outcomes in the order of the actions, unmodifiable
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static List<Outcome<@Nullable Void>> settle(Action<?>... actions)
      throws InterruptedException {
    return GatherOptions.NONE.settle(actions);
  }

  /**
   * Runs two bodies of different types at the same time and combines what they return. It fails as
   * {@link #gather} does; each body keeps a checked exception of its own, so that the caller can
   * tell them apart.
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
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <
          A extends @Nullable Object,
          B extends @Nullable Object,
          R extends @Nullable Object,
          X1 extends Exception,
          X2 extends Exception>
      R zip(
          Body<? extends A, ? extends X1> a,
          Body<? extends B, ? extends X2> b,
          BiFunction<? super A, ? super B, ? extends R> combine)
          throws X1, X2, InterruptedException {
    return GatherOptions.NONE.zip(a, b, combine);
  }

  /**
   * Runs three bodies of different types at the same time and combines what they return.
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
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <
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
          throws X1, X2, X3, InterruptedException {
    return GatherOptions.NONE.zip(a, b, c, combine);
  }

  /**
   * Runs four bodies of different types at the same time and combines what they return.
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
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <
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
          throws X1, X2, X3, X4, InterruptedException {
    return GatherOptions.NONE.zip(a, b, c, d, combine);
  }

  /**
   * Runs five bodies of different types at the same time and combines what they return.
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
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <
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
          throws X1, X2, X3, X4, X5, InterruptedException {
    return GatherOptions.NONE.zip(a, b, c, d, e, combine);
  }

  // ---- some of them

  /**
   * Runs the bodies at the same time and returns the first success; a failure is none: the others
   * go on. Those that are left then are cancelled (reason {@code NOT_NEEDED}) and waited for. The
   * failures of the losers are tolerated: listeners hear of them, the exception handler does not.
   * {@link #winner} lists them.
   *
   * <p><b>Pitfall:</b> whether a failure is tolerated is known when the call ends. In a loop with
   * {@link dev.selvedge.Loop.Builder#orphanAfter} the handler hears of one that is older than that.
   *
   * @param <T> the type of the value
   * @param bodies what to run
   * @return the first value
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object> T any(Body<? extends T, ?>... bodies)
      throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.any(bodies);
  }

  /**
   * Runs a collection of bodies at the same time and returns the first success.
   *
   * @param <T> the type of the value
   * @param bodies what to run
   * @return the first value
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public static <T extends @Nullable Object> T any(
      Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.any(bodies);
  }

  /**
   * Runs the actions at the same time until one succeeds.
   *
   * @param actions what to run
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public static void any(Action<?>... actions) throws ExceptionGroup, InterruptedException {
    GatherOptions.NONE.any(actions);
  }

  /**
   * As {@code any}, and says which body it was and what the others threw.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the first success and the failures that were tolerated
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object> Winner<T> winner(Body<? extends T, ?>... bodies)
      throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.winner(bodies);
  }

  /**
   * As {@code any} of a collection, and says which body it was and what the others threw.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the first success and the failures that were tolerated
   * @throws ExceptionGroup if all failed: every failure, in the order of the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public static <T extends @Nullable Object> Winner<T> winner(
      Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.winner(bodies);
  }

  /**
   * Runs the bodies at the same time and ends as the first that ends, be it with a value or a
   * failure. The others are cancelled (reason {@code NOT_NEEDED}) and waited for; their failures
   * are tolerated.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the value of the first
   * @throws X the failure of the first
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object, X extends Exception> T race(
      Body<? extends T, ? extends X>... bodies) throws X, InterruptedException {
    return GatherOptions.NONE.race(bodies);
  }

  /**
   * Runs a collection of bodies at the same time and ends as the first that ends.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the bodies
   * @param bodies what to run
   * @return the value of the first
   * @throws X the failure of the first
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  public static <T extends @Nullable Object, X extends Exception> T race(
      Collection<? extends Body<? extends T, ? extends X>> bodies) throws X, InterruptedException {
    return GatherOptions.NONE.race(bodies);
  }

  /**
   * Runs the actions at the same time and ends as the first that ends.
   *
   * @param <X> the checked exception of the actions
   * @param actions what to run
   * @throws X the failure of the first
   * @throws TaskCancelledException if the first was cancelled
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if there are none
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <X extends Exception> void race(Action<? extends X>... actions)
      throws X, InterruptedException {
    GatherOptions.NONE.race(actions);
  }

  /**
   * Runs the bodies at the same time until so many have succeeded. The others are cancelled (reason
   * {@code NOT_NEEDED}) and waited for, and failures are tolerated, as by {@code any}. As soon as
   * too many have failed the rest is cancelled too.
   *
   * @param <T> the type of the values
   * @param needed how many have to succeed
   * @param bodies what to run
   * @return the first {@code needed} values, in order of completion, unmodifiable
   * @throws ExceptionGroup if so many successes cannot be reached: the failures, in the order of
   *     the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code needed} is less than 1 or more than there are bodies
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object> List<T> quorum(
      int needed, Body<? extends T, ?>... bodies) throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.quorum(needed, bodies);
  }

  /**
   * Runs a collection of bodies at the same time until so many have succeeded.
   *
   * @param <T> the type of the values
   * @param needed how many have to succeed
   * @param bodies what to run
   * @return the first {@code needed} values, in order of completion, unmodifiable
   * @throws ExceptionGroup if so many successes cannot be reached: the failures, in the order of
   *     the bodies
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code needed} is less than 1 or more than there are bodies
   */
  public static <T extends @Nullable Object> List<T> quorum(
      int needed, Collection<? extends Body<? extends T, ?>> bodies)
      throws ExceptionGroup, InterruptedException {
    return GatherOptions.NONE.quorum(needed, bodies);
  }

  /**
   * Runs a body, and once more each time that the last attempt has not answered within {@code
   * delay}: a hedged request. After a failed attempt the next starts at once. The first success
   * wins; the other attempts are cancelled (reason {@code NOT_NEEDED}) and waited for, and their
   * failures are tolerated, as by {@link #any}.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the body
   * @param delay how long an attempt may take before the next one starts; zero: all start at once
   * @param times how many attempts there may be in all
   * @param body what to run
   * @return the first value
   * @throws X the first failure, if all attempts failed; the others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code delay} is negative or {@code times} less than 1
   */
  public static <T extends @Nullable Object, X extends Exception> T hedge(
      Duration delay, int times, Body<? extends T, ? extends X> body)
      throws X, InterruptedException {
    return GatherOptions.NONE.hedge(delay, times, body);
  }

  /**
   * Runs an action, and once more each time that the last attempt has not ended within {@code
   * delay}.
   *
   * @param <X> the checked exception of the action
   * @param delay how long an attempt may take before the next one starts; zero: all start at once
   * @param times how many attempts there may be in all
   * @param action what to run
   * @throws X the first failure, if all attempts failed; the others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code delay} is negative or {@code times} less than 1
   */
  public static <X extends Exception> void hedge(
      Duration delay, int times, Action<? extends X> action) throws X, InterruptedException {
    GatherOptions.NONE.hedge(delay, times, action);
  }

  // ---- many of them

  /**
   * Maps the inputs, at most {@code limit} at the same time, each in a thread of its own; none
   * waits for a turn. It fails as {@link #gather} does. A mapper may map in turn: limits are
   * counted per call.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param limit how many may run at once
   * @param mapper what to do with each
   * @return the values in the order of the inputs, unmodifiable
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code limit} is less than 1
   */
  public static <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      List<T> map(
          Iterable<? extends A> inputs,
          int limit,
          Mapper<? super A, ? extends T, ? extends X> mapper)
          throws X, InterruptedException {
    return options().concurrency(limit).map(inputs, mapper);
  }

  /**
   * Maps the inputs, at most {@code limit} at the same time, and says how each ended. It never
   * throws a failure of the mapper. What {@code inputs} throws comes out as it is, with the
   * failures of the mapper suppressed in it.
   *
   * <p><b>Pitfall:</b> in a loop with {@link dev.selvedge.Loop.Builder#orphanAfter} a failure is
   * reported, too, if the call goes on for longer than that.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param limit how many may run at once
   * @param mapper what to do with each
   * @return the outcomes in the order of the inputs, unmodifiable
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code limit} is less than 1
   */
  public static <A extends @Nullable Object, T extends @Nullable Object> List<Outcome<T>> settleMap(
      Iterable<? extends A> inputs, int limit, Mapper<? super A, ? extends T, ?> mapper)
      throws InterruptedException {
    return options().concurrency(limit).settleMap(inputs, mapper);
  }

  /**
   * Visits the inputs, at most {@code limit} at the same time, each in a thread of its own. Its
   * memory does not grow with the number of inputs. It fails as {@link #gather} does.
   *
   * @param <A> the type of the inputs
   * @param <X> the checked exception of the visitor
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param limit how many may run at once
   * @param visitor what to do with each
   * @throws X the first failure, the very object, be it of the visitor or of {@code inputs}; the
   *     others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code limit} is less than 1
   */
  public static <A extends @Nullable Object, X extends Exception> void forEach(
      Iterable<? extends A> inputs, int limit, Visitor<? super A, ? extends X> visitor)
      throws X, InterruptedException {
    options().concurrency(limit).forEach(inputs, visitor);
  }

  /**
   * Maps the inputs while the results are read, in their order: a stream to be used in a {@code
   * try} block. At most {@code limit} inputs are mapped or wait to be read at any time, so its
   * memory does not grow with their number.
   *
   * <p>The stream belongs to the thread that made it and is sequential. Closing it cancels what
   * runs (reason {@code NOT_NEEDED}) and waits for it.
   *
   * <p><b>Pitfalls:</b> the reader pulls, so while it is blocked in {@code inputs} nothing is
   * handed out. The terminal operation of the stream throws what this method declares, though
   * {@code Stream} does not say so. The {@code try} block around both makes the compiler ask for
   * it. Of two streams that are open in a thread, the one that was opened last has to be closed
   * first, as with every scope: else it is closed with the other one, with a warning. {@code
   * Stream.concat} closes its first stream first, so give it no two of these. Who reads a stream
   * that is closed gets an {@link IllegalStateException}.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param limit how many may run at once
   * @param mapper what to do with each
   * @return the values in the order of the inputs
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code limit} is less than 1
   */
  public static <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      Stream<T> stream(
          Iterable<? extends A> inputs,
          int limit,
          Mapper<? super A, ? extends T, ? extends X> mapper)
          throws X, InterruptedException {
    return options().concurrency(limit).stream(inputs, mapper);
  }

  /**
   * Maps the inputs while the results are read, in order of completion. Else as {@link #stream}.
   *
   * @param <A> the type of the inputs
   * @param <T> the type of the values
   * @param <X> the checked exception of the mapper
   * @param inputs what to map; pulled by the caller's thread, never more than the limit ahead; may
   *     be endless, may be {@code stream::iterator}
   * @param limit how many may run at once
   * @param mapper what to do with each
   * @return the values in order of completion
   * @throws X the first failure, the very object, be it of the mapper or of {@code inputs}; the
   *     others are suppressed in it
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   * @throws IllegalArgumentException if {@code limit} is less than 1
   */
  public static <A extends @Nullable Object, T extends @Nullable Object, X extends Exception>
      Stream<T> streamCompleted(
          Iterable<? extends A> inputs,
          int limit,
          Mapper<? super A, ? extends T, ? extends X> mapper)
          throws X, InterruptedException {
    return options().concurrency(limit).streamCompleted(inputs, mapper);
  }

  /**
   * Runs the bodies at the same time and hands out how each ended, in order of completion, while
   * the rest run: {@code asyncio.as_completed}. A stream to be used in a {@code try} block, in the
   * thread that made it; leaving the block cancels what is left (reason {@code NOT_NEEDED}) and
   * waits. It never throws a failure of a body; all that are handed out count as retrieved.
   *
   * <p><b>Pitfalls:</b> those of {@link #stream}. The terminal operation throws {@code
   * InterruptedException} when the caller is cancelled. In a loop with {@link
   * dev.selvedge.Loop.Builder#orphanAfter} a failure that waits longer than that for the reader is
   * reported, too.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in order of completion
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  @SafeVarargs
  @SuppressWarnings("varargs") // they are only read
  public static <T extends @Nullable Object> Stream<Outcome<T>> asCompleted(
      Body<? extends T, ?>... bodies) throws InterruptedException {
    return GatherOptions.NONE.asCompleted(bodies);
  }

  /**
   * Runs a collection of bodies at the same time and hands out how each ended, in order of
   * completion.
   *
   * @param <T> the type of the values
   * @param bodies what to run
   * @return the outcomes in order of completion
   * @throws InterruptedException if the caller is cancelled: the children were cancelled and waited
   *     for, and their failures are suppressed in it
   */
  public static <T extends @Nullable Object> Stream<Outcome<T>> asCompleted(
      Collection<? extends Body<? extends T, ?>> bodies) throws InterruptedException {
    return GatherOptions.NONE.asCompleted(bodies);
  }

  // ---- again and again

  /**
   * Runs the action at once and then once a period, in the caller's thread, until the caller is
   * cancelled: {@code scheduleAtFixedRate}, except that it survives failures and does not make up
   * for what it missed. {@link Every} has more: a fixed delay, a first delay, an end after so many
   * failures.
   *
   * @param period from the time at which one run is due to that of the next
   * @param action what to do each time; what it throws is reported to the loop's exception handler
   * @throws InterruptedException if the caller is cancelled: no run is left behind. It never
   *     returns
   * @throws IllegalArgumentException if the period is not more than zero
   */
  public static void every(Duration period, Action<?> action) throws InterruptedException {
    Every.fixedRate(period).run(action);
  }

  // ---- existing tasks

  /**
   * Waits until enough of the tasks are done: {@code asyncio.wait}. It throws no failure of theirs,
   * retrieves none, cancels nothing and leaves nothing behind on them.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the tasks
   * @param until what is enough
   * @param tasks the tasks
   * @return those that are done and those that are not
   * @throws InterruptedException if the caller is cancelled; the tasks go on
   * @throws IllegalArgumentException if there are none
   */
  public static <T extends @Nullable Object, X extends Exception> Waited<T, X> waitUntil(
      ReturnWhen until, Collection<? extends Task<T, X>> tasks) throws InterruptedException {
    return Waiting.of(until, tasks).await(null);
  }

  /**
   * Waits until enough of the tasks are done, for a limited time. Reaching the limit is no error.
   *
   * @param <T> the type of the values
   * @param <X> the checked exception of the tasks
   * @param until what is enough
   * @param tasks the tasks
   * @param limit how long to wait; zero or less does not wait
   * @return those that are done and those that are not
   * @throws InterruptedException if the caller is cancelled; the tasks go on
   * @throws IllegalArgumentException if there are none
   */
  public static <T extends @Nullable Object, X extends Exception> Waited<T, X> waitUntil(
      ReturnWhen until, Collection<? extends Task<T, X>> tasks, Duration limit)
      throws InterruptedException {
    return Waiting.of(until, tasks).await(requireNonNull(limit, "limit"));
  }

  /**
   * A view of a task whose cancellation does not reach it: {@code asyncio.shield}. Given to a verb
   * of this class, the task goes on when the verb gives up.
   *
   * @param <T> the type of the value
   * @param <X> the checked exception of the task
   * @param task the task
   * @return the view; the task itself if it is done
   * @see Task#shield()
   */
  public static <T extends @Nullable Object, X extends Exception> Task<T, X> shield(
      Task<T, X> task) {
    return requireNonNull(task, "task").shield();
  }
}
