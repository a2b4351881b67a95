package dev.selvedge.testkit;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.util.concurrent.TimeUnit;

/**
 * How long a test of a {@link SelvedgeExtension} may take, and each of its {@code @BeforeEach} and
 * {@code @AfterEach} methods, before its task tree is printed and it is interrupted. That of a
 * method counts more than that of its class, and that of a nested class more than that of the class
 * around it.
 *
 * @since 0.1.0
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.TYPE, ElementType.METHOD, ElementType.ANNOTATION_TYPE})
public @interface TimeLimit {
  /**
   * How long.
   *
   * @return zero for no limit; a test with a negative one fails
   */
  long value();

  /**
   * The unit of the value.
   *
   * @return seconds if not set
   */
  TimeUnit unit() default TimeUnit.SECONDS;
}
