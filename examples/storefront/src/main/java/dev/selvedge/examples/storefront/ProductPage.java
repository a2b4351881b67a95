package dev.selvedge.examples.storefront;

import java.util.List;

/**
 * What a client gets.
 *
 * @param product what the database knows
 * @param price in the shop's currency
 * @param stock how many there are
 * @param reviews what others think
 * @param recommendations what else might please; empty if nobody could say
 */
public record ProductPage(
    Product product, String price, String stock, String reviews, List<String> recommendations) {}
