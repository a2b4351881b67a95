package dev.selvedge.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.springframework.test.web.servlet.request.MockMvcRequestBuilders.get;

import dev.selvedge.Loop;
import dev.selvedge.LoopExceptionHandler;
import dev.selvedge.gather.Gather;
import dev.selvedge.testkit.RecordingHandler;
import dev.selvedge.testkit.SelvedgeExtension;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.aot.generate.ClassNameGenerator;
import org.springframework.aot.generate.DefaultGenerationContext;
import org.springframework.aot.generate.InMemoryGeneratedFiles;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.convert.ApplicationConversionService;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.util.TestPropertyValues;
import org.springframework.boot.web.server.servlet.context.AnnotationConfigServletWebServerApplicationContext;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.javapoet.ClassName;
import org.springframework.test.annotation.DirtiesContext.HierarchyMode;
import org.springframework.test.context.ContextConfiguration;
import org.springframework.test.context.TestContextManager;
import org.springframework.test.context.TestPropertySource;
import org.springframework.test.web.servlet.MockMvc;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.RestController;

/** Application contexts in which not all is as usual. */
class ContextsTest {
  @RegisterExtension final SelvedgeExtension selvedge = Kit.extension();

  private static final String[] QUIET = {
    "--spring.main.banner-mode=off",
    "--logging.level.root=warn",
    "--server.port=0",
    "--server.address=127.0.0.1"
  };

  @SpringBootConfiguration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import(Pages.class)
  static class Application {
    final RecordingHandler reported = new RecordingHandler();

    @Bean
    LoopExceptionHandler reported() {
      return reported;
    }
  }

  @RestController
  static class Pages {
    @GetMapping("/page")
    String page() throws InterruptedException {
      return String.join(" ", Gather.gather(() -> "left", () -> Loop.current().name()));
    }
  }

  private static ConfigurableApplicationContext run(WebApplicationType type, String... arguments) {
    var application = new SpringApplicationBuilder(Application.class).web(type).build();
    application.setRegisterShutdownHook(false);
    String[] all = java.util.Arrays.copyOf(QUIET, QUIET.length + arguments.length);
    System.arraycopy(arguments, 0, all, QUIET.length, arguments.length);
    return application.run(all);
  }

  private static void fail(Loop loop) {
    loop.launch(() -> {
      throw new IllegalStateException("background");
    });
  }

  @Test
  void eachOfSeveralHasItsOwnLoopAndEnd() throws Exception {
    try (var first = run(WebApplicationType.NONE, "--selvedge.name=first")) {
      Loop loop = first.getBean(Loop.class);
      try (var second = run(WebApplicationType.NONE, "--selvedge.name=second")) {
        fail(second.getBean(Loop.class));
        assertThat(second.getBean(Loop.class).name()).isEqualTo("second");
      }
      assertThat(loop.createTask(() -> "value").await()).isEqualTo("value");
      assertThat(first.getBean(Application.class).reported.contexts()).isEmpty();
    }
  }

  @Test
  void aChildUsesTheLoopOfItsParentAndLeavesItOpen() throws Exception {
    try (var parent = run(WebApplicationType.NONE, "--selvedge.name=parent")) {
      var builder =
          new SpringApplicationBuilder(Application.class)
              .web(WebApplicationType.NONE)
              .parent(parent);
      builder.application().setRegisterShutdownHook(false);
      try (ConfigurableApplicationContext child = builder.run(QUIET)) {
        assertThat(child.getBean(Loop.class)).isSameAs(parent.getBean(Loop.class));
      }
      assertThat(parent.getBean(Loop.class).createTask(() -> "value").await()).isEqualTo("value");
    }
  }

  @Test
  void onePausedAndRestartedKeepsItsLoop() throws Exception {
    try (var context = run(WebApplicationType.SERVLET)) {
      context.pause();
      assertThat(context.getBean(Loop.class).isShutdown()).isFalse();
      context.restart();
      assertThat(ask(context, "local.server.port", "/page").body()).isEqualTo("left application");
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "false"})
  void oneWhoseBeansAreLazyIsTheSame(String lazy) throws Exception {
    var loop = new AtomicReference<Loop>();
    var application = new AtomicReference<Application>();
    try (var context =
        run(
            WebApplicationType.SERVLET,
            "--spring.main.lazy-initialization=" + lazy,
            "--management.endpoints.web.exposure.include=*")) {
      application.set(context.getBean(Application.class));
      loop.set(context.getBean(Loop.class));
      assertThat(ask(context, "local.server.port", "/page").body()).isEqualTo("left application");
      fail(loop.get());
      await().until(() -> !application.get().reported.contexts().isEmpty());
      assertThat(ask(context, "local.server.port", "/actuator/failures").body())
          .contains("background");
    }
    assertThat(loop.get().isClosed()).isTrue();
    assertThat(application.get().reported.contexts()).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "false"})
  void requestsMayHaveVirtualThreadsOrNot(String virtual) throws Exception {
    try (var context =
        run(
            WebApplicationType.SERVLET,
            "--spring.threads.virtual.enabled=" + virtual,
            "--selvedge.web.deadline=20s")) {
      assertThat(ask(context, "local.server.port", "/page").body()).isEqualTo("left application");
    }
  }

  @Test
  void theEndpointsMayHaveAPortOfTheirOwn() throws Exception {
    try (var context =
        run(
            WebApplicationType.SERVLET,
            "--management.server.port=0",
            "--management.server.address=127.0.0.1",
            "--management.endpoints.web.exposure.include=tasks,failures",
            "--selvedge.console.enabled=true")) {
      for (String path : new String[] {"tasks", "failures", "tasks/console"}) {
        assertThat(ask(context, "local.management.port", "/actuator/" + path).statusCode())
            .as(path)
            .isEqualTo(200);
        assertThat(ask(context, "local.server.port", "/actuator/" + path).statusCode())
            .as(path)
            .isEqualTo(404);
      }
    }
  }

  private static HttpResponse<String> ask(
      ConfigurableApplicationContext context, String port, String path) throws Exception {
    URI address =
        URI.create("http://127.0.0.1:" + context.getEnvironment().getRequiredProperty(port) + path);
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.send(
          HttpRequest.newBuilder(address).build(), HttpResponse.BodyHandlers.ofString());
    }
  }

  @Configuration(proxyBeanMethods = false)
  static class LateLoop {
    @Bean(destroyMethod = "")
    Loop early(AtomicReference<Loop> made) {
      made.set(Loop.builder().handleSignals(false).name("early").build());
      return made.get();
    }

    @Bean
    Object broken(LoopLifecycle lifecycle, Loop early) {
      throw new IllegalStateException("no bean of " + lifecycle + " and " + early);
    }

    @Bean(defaultCandidate = false)
    Loop late() {
      throw new AssertionError("not while the context is being destroyed");
    }
  }

  @Test
  void oneThatFailsToStartClosesTheLoopsThatItHasAndMakesNoOther() {
    var made = new AtomicReference<Loop>();
    new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(LoopAutoConfiguration.class))
        .withBean("made", AtomicReference.class, () -> made)
        .withUserConfiguration(LateLoop.class)
        .run(context ->
            assertThat(context).getFailure().rootCause().hasMessageContaining("no bean of"));
    assertThat(made.get().isClosed()).isTrue();
  }

  @Configuration(proxyBeanMethods = false)
  static class HandlerWithLoop {
    @Bean
    LoopExceptionHandler handler(ObjectProvider<Loop> loop, AtomicReference<Loop> seen) {
      return (_, _) -> seen.set(loop.getObject());
    }
  }

  @Test
  void aHandlerMayHaveAProviderOfItsLoop() {
    var seen = new AtomicReference<Loop>();
    new ApplicationContextRunner()
        .withConfiguration(AutoConfigurations.of(LoopAutoConfiguration.class))
        .withBean("seen", AtomicReference.class, () -> seen)
        .withUserConfiguration(HandlerWithLoop.class)
        .run(context -> {
          fail(context.getBean(Loop.class));
          await().until(() -> seen.get() == context.getBean(Loop.class));
        });
  }

  @WebMvcTest(Pages.class)
  @ContextConfiguration(classes = Application.class)
  @TestPropertySource(properties = "logging.level.root=warn")
  static class Slice {
    @Autowired @Nullable MockMvc mvc;
    @Autowired @Nullable Loop loop;
  }

  @Test
  void theSliceOfATestOfControllersHasALoopWhichEndsWithIt() throws Exception {
    var slice = new Slice();
    var manager = new TestContextManager(Slice.class);
    manager.prepareTestInstance(slice);

    String page = slice.mvc.perform(get("/page")).andReturn().getResponse().getContentAsString();
    assertThat(page).isEqualTo("left application");

    // As the cache of contexts does at its end.
    manager.getTestContext().markApplicationContextDirty(HierarchyMode.EXHAUSTIVE);
    assertThat(slice.loop.isClosed()).isTrue();
  }

  @Test
  void oneIsPreparedAheadOfTime() {
    var context = new AnnotationConfigServletWebServerApplicationContext();
    TestPropertyValues.of(
            "management.endpoints.web.exposure.include=*",
            "selvedge.console.enabled=true",
            "selvedge.web.deadline=1s")
        .applyTo(context);
    context.getEnvironment().setConversionService(new ApplicationConversionService());
    context.register(Application.class);
    var generated =
        new DefaultGenerationContext(
            new ClassNameGenerator(ClassName.get(ContextsTest.class)),
            new InMemoryGeneratedFiles());

    new ApplicationContextAotGenerator().processAheadOfTime(context, generated);
    generated.writeGeneratedContent();

    RuntimeHints hints = generated.getRuntimeHints();
    assertThat(RuntimeHintsPredicates.resource().forResource("dev/selvedge/spring/console.html"))
        .accepts(hints);
    for (Class<?> shown :
        List.of(
            TasksEndpoint.Tasks.class,
            TasksEndpoint.Node.class,
            TasksEndpoint.OneTask.class,
            TasksEndpoint.Cancelled.class,
            FailuresEndpoint.Failures.class,
            RecentFailures.Report.class,
            SelvedgeProperties.class,
            SelvedgeProperties.Shutdown.class)) {
      assertThat(RuntimeHintsPredicates.reflection().onType(shown)).accepts(hints);
    }
    context.close();
  }
}
