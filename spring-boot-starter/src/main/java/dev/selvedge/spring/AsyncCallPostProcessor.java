package dev.selvedge.spring;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.Pointcut;
import org.springframework.aop.framework.Advised;
import org.springframework.aop.support.AopUtils;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.scheduling.annotation.AsyncAnnotationAdvisor;

/**
 * Has the calls of {@code @Async} methods say which bean and method they are of, until the method
 * itself runs. It has no order, so that it comes after the post-processor that makes these calls
 * asynchronous.
 */
final class AsyncCallPostProcessor implements BeanPostProcessor {
  private static final MethodInterceptor IN_METHOD =
      invocation ->
          AsyncCall.<@Nullable Object>inMethod(
              () -> UncaughtAsyncFailure.<@Nullable Object>inMethod(invocation::proceed));

  private final Pointcut async = new AsyncAnnotationAdvisor().getPointcut();

  private record Naming(String bean) implements MethodInterceptor {
    @Override
    public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
      String method = invocation.getMethod().getName();
      boolean isVoid = invocation.getMethod().getReturnType() == void.class;
      return new AsyncCall(bean + "." + method, isVoid).<@Nullable Object>bind(invocation::proceed);
    }
  }

  @Override
  public Object postProcessAfterInitialization(Object bean, String name) {
    if (bean instanceof Advised proxy
        && !proxy.isFrozen()
        && AopUtils.canApply(async, AopUtils.getTargetClass(bean))) {
      proxy.addAdvisor(0, new DefaultPointcutAdvisor(async, new Naming(name)));
      proxy.addAdvisor(new DefaultPointcutAdvisor(async, IN_METHOD));
    }
    return bean;
  }
}
