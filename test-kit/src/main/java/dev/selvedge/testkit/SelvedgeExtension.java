package dev.selvedge.testkit;

import static java.util.Objects.requireNonNull;

import dev.selvedge.Loop;
import java.lang.annotation.Annotation;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Executable;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionConfigurationException;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.commons.support.HierarchyTraversalMode;

/**
 * Gives each test a loop of its own, which is the {@linkplain Loop#current current} one in the test
 * and in its {@code @BeforeEach} and {@code @AfterEach} methods, and fails the test for what it
 * leaves behind.
 *
 * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="extension"}
 *
 * <p>These methods, and constructors unless the instance is used for a whole class, may ask for
 * parameters: the {@link Loop}, its {@link RecordingHandler}, and a {@link ManualClock}. A test of
 * whose methods one asks for the clock has a {@linkplain ManualClock#jumping() jumping} one; else
 * time is the system's.
 *
 * <p><b>Failure:</b> when the last {@code @AfterEach} method has returned, a test fails if a task
 * is still alive and does not end by itself at once, if an alarm is still armed, if the interrupt
 * flag is set, or if something has reached the exception handler that was not expected, be it at
 * the close of the loop. {@link SelvedgeAssertions#expectOrphan} expects it. The message lists all
 * of it; the failures are its cause and its suppressed exceptions. Tasks that are left are
 * cancelled.
 *
 * <p><b>Time:</b> a method that takes longer than its {@link TimeLimit}, one minute if not set, is
 * interrupted, and the task tree printed to {@code System.err}; it is in the message, too.
 *
 * <p><b>Several extensions:</b> if a test has more than one, because its class and the class above
 * or around it register their own, the settings of the innermost count, which JUnit calls last: a
 * field comes after {@code @ExtendWith}, a subclass after its superclass, a nested class after the
 * one around it.
 *
 * <p><b>Pitfalls:</b> a scope that one of these methods opens is closed when the method returns.
 * The loop of a test cannot be closed in it. The dynamic tests of a {@code @TestFactory} share one
 * loop: what one of them leaves fails the factory when all are over, and only the interrupt flag
 * fails the one that left it. Of {@code @BeforeAll} and {@code @AfterAll} methods no loop is the
 * current one but the default loop of the process.
 *
 * @since 0.1.0
 */
public final class SelvedgeExtension
    implements BeforeEachCallback, AfterEachCallback, ParameterResolver, InvocationInterceptor {
  private static final ExtensionContext.Namespace NAMESPACE =
      ExtensionContext.Namespace.create(SelvedgeExtension.class);

  private final Builder settings;

  /** With what {@link #builder} has if nothing is set. */
  public SelvedgeExtension() {
    this(new Builder());
  }

  private SelvedgeExtension(Builder settings) {
    this.settings = settings;
  }

  /**
   * For an extension that is registered in a field, and not like the others.
   *
   * {@snippet file="dev/selvedge/testkit/SamplesTest.java" region="registered"}
   *
   * @return a new builder
   */
  public static Builder builder() {
    return new Builder();
  }

  /** Settings of an extension. Each returns the builder. */
  public static final class Builder {
    UnaryOperator<Loop.Builder> loop = UnaryOperator.identity();
    @Nullable Supplier<ManualClock> clock;
    Duration limit = Duration.ofMinutes(1);
    boolean current = true;
    boolean wholeProcess;
    boolean anything;
    boolean tasksMayBeLeft;

    private Builder() {}

    /**
     * What is to be different about the loops.
     *
     * @param settings called for each test; handler and clock are set before, and with a jumping
     *     clock a {@code stragglerWarning} that never comes
     * @return this
     */
    public Builder loop(UnaryOperator<Loop.Builder> settings) {
      this.loop = requireNonNull(settings, "settings");
      return this;
    }

    /**
     * Gives each test a clock that is moved, whether it asks for it or not.
     *
     * @param clock called for each test: {@code ManualClock::new} or {@code ManualClock::jumping}
     * @return this
     */
    public Builder clock(Supplier<ManualClock> clock) {
      this.clock = requireNonNull(clock, "clock");
      return this;
    }

    /**
     * The limit of methods without a {@link TimeLimit}.
     *
     * @param limit zero for none; a minute if not set
     * @return this
     * @throws IllegalArgumentException if it is negative
     */
    public Builder limit(Duration limit) {
      if (requireNonNull(limit, "limit").isNegative()) {
        throw new IllegalArgumentException("the limit is negative: " + limit);
      }
      this.limit = limit;
      return this;
    }

    /**
     * Whether the loop is the current one in the methods of the test. If not, a test may close it.
     *
     * @param current true if not set
     * @return this
     */
    public Builder current(boolean current) {
      this.current = current;
      return this;
    }

    /**
     * Whatever reaches the handler is expected: the tests ask their {@link RecordingHandler}
     * themselves.
     *
     * @return this
     */
    public Builder expectAnything() {
      this.anything = true;
      return this;
    }

    /**
     * Tasks that are alive at the end of a test are cancelled, and that is all.
     *
     * @return this
     */
    public Builder tasksMayBeLeft() {
      this.tasksMayBeLeft = true;
      return this;
    }

    /**
     * Also asserts after each test that nothing is left in the {@linkplain
     * Quiescence#assertQuiescent() whole process}. Not for tests that run in parallel.
     *
     * @return this
     */
    public Builder wholeProcess() {
      this.wholeProcess = true;
      return this;
    }

    /**
     * The extension.
     *
     * @return a new extension; register it in a field
     */
    public SelvedgeExtension build() {
      return new SelvedgeExtension(this);
    }
  }

  // ---- one loop for each test

  @Override
  public void beforeEach(ExtensionContext context) {
    ExtensionContext.Store store = context.getStore(NAMESPACE);
    store.put(SelvedgeExtension.class, this);
    TestLoop test = store.get(TestLoop.class, TestLoop.class);
    if (test != null && !test.isOf(settings)) {
      throw new ExtensionConfigurationException(
          "a constructor has asked for the loop before the innermost SelvedgeExtension was known:"
              + " register that in a static field, or ask in a @BeforeEach method");
    }
  }

  /** Whether the loop is this extension's to make, of all that the test has. */
  private boolean isInnermost(ExtensionContext context) {
    SelvedgeExtension last =
        context.getStore(NAMESPACE).get(SelvedgeExtension.class, SelvedgeExtension.class);
    return last == null || equals(last);
  }

  @Override
  public void afterEach(ExtensionContext context) {
    TestLoop test = context.getStore(NAMESPACE).remove(TestLoop.class, TestLoop.class);
    if (test != null) {
      test.finish();
    }
  }

  private TestLoop testLoop(ExtensionContext context) {
    return requireNonNull(
        context
            .getStore(NAMESPACE)
            .getOrComputeIfAbsent(TestLoop.class, _ -> create(context), TestLoop.class));
  }

  private TestLoop create(ExtensionContext context) {
    Supplier<ManualClock> clock = settings.clock;
    if (clock == null && asksForClock(context)) {
      clock = ManualClock::jumping;
    }
    return new TestLoop(context.getDisplayName(), settings, clock == null ? null : clock.get());
  }

  private static boolean asksForClock(ExtensionContext context) {
    var methods = new ArrayList<Executable>(context.getTestMethod().stream().toList());
    for (Class<?> type = context.getRequiredTestClass(); type != null; ) {
      methods.addAll(List.of(type.getDeclaredConstructors()));
      methods.addAll(annotated(type, BeforeEach.class));
      methods.addAll(annotated(type, AfterEach.class));
      type = Modifier.isStatic(type.getModifiers()) ? null : type.getEnclosingClass();
    }
    return methods.stream()
        .anyMatch(method -> List.of(method.getParameterTypes()).contains(ManualClock.class));
  }

  private static List<Method> annotated(Class<?> type, Class<? extends Annotation> annotation) {
    return AnnotationSupport.findAnnotatedMethods(
        type, annotation, HierarchyTraversalMode.TOP_DOWN);
  }

  // ---- parameters

  @Override
  public ExtensionContextScope getTestInstantiationExtensionContextScope(ExtensionContext root) {
    return ExtensionContextScope.TEST_METHOD;
  }

  @Override
  public boolean supportsParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    return (type == Loop.class || type == ManualClock.class || type == RecordingHandler.class)
        && isInnermost(context);
  }

  @Override
  public Object resolveParameter(ParameterContext parameter, ExtensionContext context) {
    Class<?> type = parameter.getParameter().getType();
    if (context.getTestMethod().isEmpty()) {
      throw new ParameterResolutionException(
          "each test has a "
              + type.getSimpleName()
              + " of its own, and "
              + parameter.getDeclaringExecutable()
              + " is not called for one: ask for it in the test or in a @BeforeEach method");
    }
    TestLoop test = testLoop(context);
    if (type == Loop.class) {
      return test.loop();
    }
    return type == RecordingHandler.class ? test.handler() : test.clock();
  }

  // ---- what runs in the loop

  @Override
  public void interceptBeforeEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    call(invocation, method.getExecutable(), context);
  }

  @Override
  public void interceptTestMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    call(invocation, method.getExecutable(), context);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    call(invocation, method.getExecutable(), context);
  }

  @Override
  public <T> T interceptTestFactoryMethod(
      Invocation<T> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    return call(invocation, method.getExecutable(), context);
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> invocation, DynamicTestInvocationContext test, ExtensionContext context)
      throws Throwable {
    boolean flagged;
    try {
      call(invocation, context.getDisplayName(), find(context), context);
    } finally {
      flagged = Thread.interrupted();
    }
    if (flagged) {
      // The next one has the same thread.
      throw new AssertionError(
          "the dynamic test left something behind:\nthe interrupt flag is set");
    }
  }

  @Override
  public void interceptAfterEachMethod(
      Invocation<Void> invocation,
      ReflectiveInvocationContext<Method> method,
      ExtensionContext context)
      throws Throwable {
    call(invocation, method.getExecutable(), context);
  }

  private <T extends @Nullable Object> T call(
      Invocation<T> invocation, Method method, ExtensionContext context) throws Throwable {
    return call(invocation, method.getName(), find(method).or(() -> find(context)), context);
  }

  private <T extends @Nullable Object> T call(
      Invocation<T> invocation, String name, Optional<Duration> limit, ExtensionContext context)
      throws Throwable {
    return isInnermost(context)
        ? testLoop(context).call(invocation, name, limit.orElse(settings.limit))
        : invocation.proceed();
  }

  /** The limit of the test, or of the class that is nearest. */
  private static Optional<Duration> find(ExtensionContext context) {
    return context
        .getElement()
        .flatMap(SelvedgeExtension::find)
        .or(() -> context.getParent().flatMap(SelvedgeExtension::find));
  }

  private static Optional<Duration> find(AnnotatedElement element) {
    return AnnotationSupport.findAnnotation(element, TimeLimit.class).map(SelvedgeExtension::limit);
  }

  private static Duration limit(TimeLimit limit) {
    if (limit.value() < 0) {
      throw new ExtensionConfigurationException(
          "the limit is negative: @TimeLimit(" + limit.value() + ")");
    }
    return Duration.ofNanos(limit.unit().toNanos(limit.value()));
  }
}
