package dev.selvedge.examples.storefront;

/** The database has no product with this number. */
public final class NoSuchProductException extends Exception {
  private static final long serialVersionUID = 1L;

  NoSuchProductException(long id) {
    super("there is no product " + id);
  }
}
