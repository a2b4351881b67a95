package dev.selvedge.examples.storefront;

/**
 * What the database knows of a product.
 *
 * @param id its number
 * @param name what it is called
 * @param description what it is
 */
public record Product(long id, String name, String description) {}
