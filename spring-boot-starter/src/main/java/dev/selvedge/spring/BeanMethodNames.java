package dev.selvedge.spring;

import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * Makes the name of a {@code @Scheduled} method, which Spring says with its class, one with its
 * bean. What is not such a name is left out: a lambda has none worth reading.
 */
final class BeanMethodNames {
  private static final Pattern METHOD = Pattern.compile("([\\p{L}\\w$.]+)\\.([\\p{L}\\w$]+)");

  private final ListableBeanFactory beans;

  BeanMethodNames(ListableBeanFactory beans) {
    this.beans = beans;
  }

  @Nullable String of(String command) {
    Matcher method = METHOD.matcher(command);
    if (!method.matches()) {
      return null;
    }
    ClassLoader loader = ClassUtils.getDefaultClassLoader();
    if (!ClassUtils.isPresent(method.group(1), loader)) {
      return null;
    }
    Class<?> type = ClassUtils.resolveClassName(method.group(1), loader);
    String[] names = beans.getBeanNamesForType(type, true, false);
    String bean = names.length == 1 ? names[0] : type.getSimpleName();
    return bean + "." + method.group(2);
  }
}
