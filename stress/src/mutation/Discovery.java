package dev.selvedge;

import java.lang.reflect.Method;
import org.junit.jupiter.api.extension.DynamicTestInvocationContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * PIT's plugin for JUnit learns the names of the tests by running them, in each JVM anew. Where it
 * tries mutants the names are enough, so the bodies of the tests are left out until the first one.
 */
public final class Discovery implements InvocationInterceptor {
  private static volatile boolean discovering =
      System.getProperty("sun.java.command", "").contains("MutationTestMinion");

  static void end() {
    discovering = false;
  }

  @Override
  public void interceptBeforeAllMethod(
      Invocation<Void> before, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(before);
  }

  @Override
  public void interceptBeforeEachMethod(
      Invocation<Void> before, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(before);
  }

  @Override
  public void interceptTestMethod(
      Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(test);
  }

  @Override
  public void interceptTestTemplateMethod(
      Invocation<Void> test, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(test);
  }

  @Override
  public void interceptAfterEachMethod(
      Invocation<Void> after, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(after);
  }

  @Override
  public void interceptAfterAllMethod(
      Invocation<Void> after, ReflectiveInvocationContext<Method> method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(after);
  }

  @Override
  public void interceptDynamicTest(
      Invocation<Void> test, DynamicTestInvocationContext method, ExtensionContext context)
      throws Throwable {
    runUnlessDiscovering(test);
  }

  private static void runUnlessDiscovering(Invocation<Void> method) throws Throwable {
    if (discovering) {
      method.skip();
    } else {
      method.proceed();
    }
  }
}
