package dev.selvedge.testkit;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/** What became of the tests of a class that a test runs: by display name. */
record Launched(Map<String, TestExecutionResult> results) {
  static Launched run(Class<?> type, Map<String, String> parameters) {
    LauncherDiscoveryRequest request =
        LauncherDiscoveryRequestBuilder.request()
            .selectors(DiscoverySelectors.selectClass(type))
            .configurationParameters(parameters)
            .build();
    var results = new TreeMap<String, TestExecutionResult>();
    LauncherFactory.create()
        .execute(
            request,
            new TestExecutionListener() {
              @Override
              public void executionFinished(TestIdentifier test, TestExecutionResult result) {
                if (test.isTest() || result.getStatus() != TestExecutionResult.Status.SUCCESSFUL) {
                  synchronized (results) {
                    results.put(test.getDisplayName(), result);
                  }
                }
              }
            });
    return new Launched(results);
  }

  static Launched run(Class<?> type) {
    return run(type, Map.of());
  }

  /** How a test failed; its display name is that of the method, with parentheses. */
  Throwable failure(String test) {
    TestExecutionResult result = results.get(test);
    if (result == null) {
      throw new AssertionError("there is no test " + test + " in " + results.keySet());
    }
    return result
        .getThrowable()
        .orElseThrow(() -> new AssertionError(test + " was to fail and did not"));
  }

  void assertAllSuccessful() {
    results.forEach((test, result) -> {
      Optional<Throwable> failure = result.getThrowable();
      if (failure.isPresent()) {
        var text = new StringWriter();
        failure.get().printStackTrace(new PrintWriter(text));
        throw new AssertionError(test + " was to succeed: " + text);
      }
    });
    if (results.isEmpty()) {
      throw new AssertionError("no test was run");
    }
  }
}
