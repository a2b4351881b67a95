package dev.selvedge.stress.programs;

import dev.selvedge.Loop;
import dev.selvedge.gather.Gather;
import java.util.concurrent.atomic.LongAdder;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Maps many inputs in one of the ways that do not collect, and says how many there were. */
public final class Maps {
  private static final int LIMIT = 8;

  private Maps() {}

  public static void main(String[] arguments) throws Exception {
    int inputs = Integer.parseInt(arguments[1]);
    Iterable<Integer> numbers = IntStream.range(0, inputs).boxed()::iterator;
    System.out.println(Loop.run(() -> count(arguments[0], numbers)));
  }

  private static long count(String way, Iterable<Integer> numbers) throws InterruptedException {
    switch (way) {
      case "forEach" -> {
        var count = new LongAdder();
        Gather.forEach(numbers, LIMIT, _ -> count.increment());
        return count.sum();
      }
      case "stream" -> {
        try (Stream<byte[]> values = Gather.stream(numbers, LIMIT, _ -> new byte[1024])) {
          return values.filter(value -> value.length == 1024).count();
        }
      }
      case "streamCompleted" -> {
        try (Stream<byte[]> values = Gather.streamCompleted(numbers, LIMIT, _ -> new byte[1024])) {
          return values.filter(value -> value.length == 1024).count();
        }
      }
      default -> throw new IllegalArgumentException(way);
    }
  }
}
