import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/**
 * Writes down how {@code ./demo} starts its program. The build runs this with the JDK that it chose
 * and with the class path of the program, which it so finds in its own properties.
 */
class WriteLaunchFile {
  public static void main(String[] args) throws IOException {
    Path file = Path.of(args[0]);
    Path java = Path.of(System.getProperty("java.home"), "bin", "java");
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.write(
        file,
        List.of(
            Path.of(args[1]).toRealPath().toString(),
            java.toString(),
            System.getProperty("java.class.path"),
            args[2]));
  }
}
