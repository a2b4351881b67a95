package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.TaskScope;

/** Says how many bytes a scope with some forks allocates. */
public final class Scopes {
  private static final Body<String, RuntimeException> BODY = () -> "value";

  private Scopes() {}

  public static void main(String[] arguments) throws Exception {
    Allocation.report(Scopes::scope, 1, 10, 100, 1000);
  }

  private static void scope(int forks) throws InterruptedException {
    try (TaskScope<RuntimeException> scope = TaskScope.open()) {
      for (int i = 0; i < forks; i++) {
        scope.fork(BODY);
      }
      scope.join();
    }
  }
}
