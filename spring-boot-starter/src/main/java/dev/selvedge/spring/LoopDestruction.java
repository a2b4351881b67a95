package dev.selvedge.spring;

import dev.selvedge.Loop;
import org.springframework.beans.factory.support.MergedBeanDefinitionPostProcessor;
import org.springframework.beans.factory.support.RootBeanDefinition;

/**
 * Leaves the end of every loop to {@link LoopLifecycle}: Spring would find {@code close} by itself,
 * which waits for ever for a task that does not end.
 */
final class LoopDestruction implements MergedBeanDefinitionPostProcessor {
  @Override
  public void postProcessMergedBeanDefinition(
      RootBeanDefinition definition, Class<?> type, String name) {
    if (Loop.class.isAssignableFrom(type)) {
      definition.setDestroyMethodName("");
    }
  }
}
