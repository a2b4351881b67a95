package dev.selvedge.stress.programs;

import dev.selvedge.Body;
import dev.selvedge.gather.Gather;
import java.util.Collections;
import java.util.List;

/** Says how many bytes a gather of some bodies allocates. */
public final class Gathers {
  private static final Body<String, RuntimeException> BODY = () -> "value";

  private Gathers() {}

  public static void main(String[] arguments) throws Exception {
    Allocation.report(Gathers::gather, 2, 10, 100);
  }

  private static void gather(int bodies) throws InterruptedException {
    List<String> values = Gather.gather(Collections.nCopies(bodies, BODY));
    if (values.size() != bodies) {
      throw new AssertionError(values);
    }
  }
}
