package dev.selvedge.spring;

import org.springframework.boot.context.event.ApplicationStartingEvent;
import org.springframework.context.ApplicationListener;

/**
 * Leaves SIGTERM and Ctrl-C to Spring: the default loop would cancel at once what requests have
 * forked, which the web server wants to answer first.
 */
final class SignalsAreSprings implements ApplicationListener<ApplicationStartingEvent> {
  private static final String PROPERTY = "selvedge.handleSignals";

  @Override
  public void onApplicationEvent(ApplicationStartingEvent event) {
    if (System.getProperty(PROPERTY) == null) {
      System.setProperty(PROPERTY, "false");
    }
  }
}
