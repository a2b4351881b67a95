package dev.selvedge.stress.soak;

import dev.selvedge.TaskScope.Policy;
import dev.selvedge.gather.Supervisor.Strategy;
import dev.selvedge.stress.soak.Plan.Cleanup;
import dev.selvedge.stress.soak.Plan.Cut;
import dev.selvedge.stress.soak.Plan.Deaf;
import dev.selvedge.stress.soak.Plan.Deed;
import dev.selvedge.stress.soak.Plan.Ending;
import dev.selvedge.stress.soak.Plan.Fail;
import dev.selvedge.stress.soak.Plan.Give;
import dev.selvedge.stress.soak.Plan.Group;
import dev.selvedge.stress.soak.Plan.Handling;
import dev.selvedge.stress.soak.Plan.Inner;
import dev.selvedge.stress.soak.Plan.Kind;
import dev.selvedge.stress.soak.Plan.Limit;
import dev.selvedge.stress.soak.Plan.Meddle;
import dev.selvedge.stress.soak.Plan.Pause;
import dev.selvedge.stress.soak.Plan.Reaction;
import dev.selvedge.stress.soak.Plan.Scope;
import dev.selvedge.stress.soak.Plan.Shield;
import dev.selvedge.stress.soak.Plan.Spawn;
import dev.selvedge.stress.soak.Plan.Supervise;
import dev.selvedge.stress.soak.Plan.Then;
import dev.selvedge.stress.soak.Plan.Together;
import dev.selvedge.stress.soak.Plan.UntilCancelled;
import dev.selvedge.stress.soak.Plan.Verb;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Makes random trees. Each ends by itself: a body that waits for its cancellation stands only where
 * one is certain to come (it is <em>doomed</em>), and nothing in front of it may take that one.
 */
final class Planner {
  /** A tree is cut off when it has about so many bodies. */
  private static final int MOST = 100;

  private static final Plan GIVE = new Give();

  private final SplittableRandom random;

  /** Whether tasks may occupy the loop for as long as it is open. */
  private final boolean services;

  private int made;

  Planner(SplittableRandom random, boolean services) {
    this.random = random;
    this.services = services;
  }

  Plan tree() {
    made = 0;
    return composite(4, false);
  }

  private Plan body(int depth, boolean doomed) {
    made++;
    return depth > 0 && made < MOST && chance(50) ? composite(depth, doomed) : leaf(doomed);
  }

  private List<Plan> bodies(int least, int most, int depth, boolean doomed) {
    var bodies = new ArrayList<Plan>();
    for (int i = random.nextInt(least, most + 1); i > 0; i--) {
      bodies.add(body(depth, doomed));
    }
    return bodies;
  }

  // ---- bodies without tasks of their own

  private Plan leaf(boolean doomed) {
    if (doomed && chance(50)) {
      return new UntilCancelled(reaction());
    }
    int choice = random.nextInt(100);
    if (choice < 30) {
      return GIVE;
    } else if (choice < 52) {
      return new Fail(kind());
    } else if (choice < 70) {
      return new Pause(micros(), reaction(), shortLeaf());
    } else if (choice < 76) {
      return new Deaf(micros(), shortLeaf());
    } else if (choice < 86) {
      return new Cleanup(new Pause(micros(), Reaction.PASS, shortLeaf()), kind());
    }
    return new Meddle(pick(Deed.values()), random.nextInt(1 << 16));
  }

  private Plan shortLeaf() {
    return chance(60) ? GIVE : new Fail(kind());
  }

  private Kind kind() {
    int choice = random.nextInt(2000);
    return choice == 0
        ? Kind.OVERFLOW
        : choice < 900
            ? Kind.CHECKED
            : choice < 1300
                ? Kind.UNCHECKED
                : choice < 1600
                    ? Kind.ERROR
                    : choice < 1700
                        ? Kind.TRACED
                        : choice < 1880
                            ? Kind.BARE
                            : choice < 1960 ? Kind.SHARED : Kind.SHARED_BARE;
  }

  private Reaction reaction() {
    return chance(50) ? Reaction.PASS : chance(60) ? Reaction.FAIL : Reaction.SWALLOW;
  }

  // ---- with tasks

  private Plan composite(int depth, boolean doomed) {
    int below = depth - 1;
    return switch (random.nextInt(16)) {
      case 0, 1, 2, 3 -> scope(below, doomed);
      case 4 -> certainFailure(below);
      case 5, 6 -> group(below, doomed);
      case 7, 8, 9 -> together(below, doomed);
      case 10 ->
          new Supervise(
              pick(Strategy.values()),
              random.nextInt(1, 6),
              random.nextInt(0, 4),
              micros(),
              bodies(1, 3, Math.min(below, 1), false));
      case 11, 12 -> limit(below, doomed);
      case 13 -> cut(below, doomed);
      case 14 ->
          chance(70)
              ? new Shield(body(below, false))
              : new Inner(body(below, doomed), pick(Then.values()));
      default -> spawn(below);
    };
  }

  private Plan scope(int below, boolean doomed) {
    Ending ending = pick(Ending.values());
    boolean limited = chance(15);
    boolean ends = ending == Ending.CLOSE || ending == Ending.CANCEL || ending == Ending.FORGET;
    boolean wide = chance(4);
    int strangers = !limited && ends && chance(30) ? random.nextInt(1, 5) : 0;
    List<Plan> children =
        wide ? bodies(18, 40, 0, false) : bodies(0, 7, below, limited ? doomed : ends || doomed);
    return new Scope(
        chance(65) ? Policy.CANCEL_ON_FAILURE : Policy.SUPERVISE,
        limited ? random.nextInt(1, 4) : 0,
        strangers,
        ending,
        children,
        then());
  }

  /** One child fails, so that the others may wait for their cancellation. */
  private Plan certainFailure(int below) {
    var bodies = new ArrayList<Plan>();
    bodies.add(new Fail(chance(50) ? Kind.CHECKED : Kind.ERROR));
    boolean group = chance(30);
    for (int i = random.nextInt(1, 8); i > 0; i--) {
      bodies.add(chance(70) ? new UntilCancelled(reaction()) : body(below, true));
    }
    made += bodies.size();
    return group
        ? new Group(bodies, new UntilCancelled(Reaction.PASS), false, then())
        : new Scope(Policy.CANCEL_ON_FAILURE, 0, 0, Ending.JOIN, bodies, then());
  }

  private Plan group(int below, boolean doomed) {
    boolean cancels = chance(30);
    boolean works = !cancels && chance(50);
    // Such a body may take the interrupt that comes before the group is open to be cancelled.
    Plan body = works ? body(below, doomed) : GIVE;
    return new Group(bodies(0, 7, below, cancels || (doomed && !works)), body, cancels, then());
  }

  private Plan together(int below, boolean doomed) {
    Verb verb = pick(Verb.values());
    if (verb == Verb.HEDGE) {
      return new Together(verb, random.nextInt(1, 4), List.of(body(below, doomed)), then());
    }
    if (verb == Verb.RACE) {
      var bodies = new ArrayList<Plan>(bodies(1, 4, below, true));
      bodies.set(random.nextInt(bodies.size()), body(below, false));
      return new Together(verb, 0, bodies, then());
    }
    boolean wide = chance(4);
    List<Plan> bodies = wide ? bodies(18, 40, 0, false) : bodies(1, 7, below, doomed);
    int number =
        switch (verb) {
          case QUORUM -> random.nextInt(1, bodies.size() + 1);
          case GATHER_TASKS -> random.nextInt(1 << 16);
          default -> random.nextInt(1, 4);
        };
    return new Together(verb, number, bodies, then());
  }

  private Plan limit(int below, boolean doomed) {
    Plan inside = chance(40) ? doomedPause() : body(below, true);
    return new Limit(micros(), inside, then(), after(doomed));
  }

  private Plan cut(int below, boolean doomed) {
    return new Cut(micros(), chance(50) ? doomedPause() : body(below, true), after(doomed));
  }

  /** Passes its interrupt on, a little later than it comes. */
  private Plan doomedPause() {
    return chance(50)
        ? new UntilCancelled(Reaction.PASS)
        : new Deaf(micros(), new Pause(micros(), Reaction.PASS, GIVE));
  }

  /** What follows a limit, which must have left alone what came from outside. */
  private Plan after(boolean doomed) {
    return doomed
        ? new UntilCancelled(reaction())
        : chance(50) ? new Pause(random.nextInt(200), Reaction.PASS, shortLeaf()) : GIVE;
  }

  private Plan spawn(int below) {
    Handling picked = pick(Handling.values());
    Handling handling = picked == Handling.SERVICE && !services ? Handling.BOARD : picked;
    boolean doomed = handling == Handling.SERVICE || handling == Handling.WAIT_FOR;
    Plan body = handling == Handling.SERVICE ? new UntilCancelled(reaction()) : body(below, doomed);
    return new Spawn(handling, micros(), body, then());
  }

  // ---- numbers

  private Then then() {
    int choice = random.nextInt(100);
    return choice < 50 ? Then.PASS : choice < 85 ? Then.TAKE : Then.SPLIT;
  }

  private int micros() {
    return chance(70) ? random.nextInt(1, 300) : random.nextInt(300, 3000);
  }

  private boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  private <E> E pick(E[] values) {
    return values[random.nextInt(values.length)];
  }
}
