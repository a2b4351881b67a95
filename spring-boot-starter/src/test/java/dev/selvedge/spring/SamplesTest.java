package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;

import dev.selvedge.testkit.SelvedgeExtension;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** The samples of the documentation. */
class SamplesTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  @Test
  void aClientStream() throws Exception {
    Iterator<String> changes = List.of("one", "two").iterator();
    var out = new ByteArrayOutputStream();

    stream(out, changes);

    assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("data: one\n\ndata: two\n\n");
  }

  private static void stream(OutputStream response, Iterator<String> changes)
      throws IOException, InterruptedException {
    // @start region="client-stream"
    ClientStream.write(
        response,
        ClientStream.EVENT_STREAM,
        Duration.ofSeconds(5),
        out -> {
          while (changes.hasNext()) { // may block: it is cancelled when the client has gone
            out.write(("data: " + changes.next() + "\n\n").getBytes(StandardCharsets.UTF_8));
            out.flush();
          }
        });
    // @end
  }
}
