package dev.selvedge.spring;

import dev.selvedge.Loop;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.interceptor.AsyncUncaughtExceptionHandler;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.boot.autoconfigure.task.TaskExecutionAutoConfiguration;
import org.springframework.boot.autoconfigure.task.TaskSchedulingAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.task.AsyncTaskExecutor;
import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.support.CompositeTaskDecorator;
import org.springframework.scheduling.TaskScheduler;
import org.springframework.scheduling.annotation.AsyncConfigurer;
import org.springframework.scheduling.config.TaskManagementConfigUtils;

/**
 * {@code @Async} and {@code @Scheduled} methods, and what else uses the application's task
 * executor, as tasks of its loop.
 *
 * @since 0.1.0
 */
@AutoConfiguration(
    after = LoopAutoConfiguration.class,
    before = {TaskExecutionAutoConfiguration.class, TaskSchedulingAutoConfiguration.class})
@ConditionalOnSingleCandidate(Loop.class)
@ConditionalOnProperty(name = "selvedge.async.enabled", matchIfMissing = true)
public final class LoopTaskExecutionAutoConfiguration {
  LoopTaskExecutionAutoConfiguration() {}

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnMissingBean(Executor.class)
  static class ExecutorConfiguration {
    @Bean(TaskExecutionAutoConfiguration.APPLICATION_TASK_EXECUTOR_BEAN_NAME)
    LoopTaskExecutor applicationTaskExecutor(Loop loop, ObjectProvider<TaskDecorator> decorators) {
      List<TaskDecorator> all = decorators.orderedStream().toList();
      return all.isEmpty()
          ? new LoopTaskExecutor(loop)
          : new LoopTaskExecutor(loop, new CompositeTaskDecorator(all));
    }

    @Bean
    @ConditionalOnMissingBean
    AsyncConfigurer asyncConfigurer(Loop loop, LoopTaskExecutor executor) {
      return new AsyncConfigurer() {
        @Override
        public AsyncTaskExecutor getAsyncExecutor() {
          return executor;
        }

        @Override
        public @Nullable AsyncUncaughtExceptionHandler getAsyncUncaughtExceptionHandler() {
          return UncaughtAsyncFailure.handler(loop);
        }
      };
    }

    @Bean
    @ConditionalOnBean(name = TaskManagementConfigUtils.ASYNC_ANNOTATION_PROCESSOR_BEAN_NAME)
    static AsyncCallPostProcessor asyncCallPostProcessor() {
      return new AsyncCallPostProcessor();
    }
  }

  @Configuration(proxyBeanMethods = false)
  @ConditionalOnBean(name = TaskManagementConfigUtils.SCHEDULED_ANNOTATION_PROCESSOR_BEAN_NAME)
  @ConditionalOnMissingBean({TaskScheduler.class, ScheduledExecutorService.class})
  static class SchedulerConfiguration {
    @Bean
    LoopTaskScheduler taskScheduler(Loop loop, ListableBeanFactory beans) {
      return new LoopTaskScheduler(loop, new BeanMethodNames(beans)::of);
    }
  }
}
