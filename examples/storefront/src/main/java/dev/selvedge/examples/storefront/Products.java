package dev.selvedge.examples.storefront;

import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Repository;

/** The products in the database. */
@Repository
class Products {
  private final JdbcClient database;

  Products(JdbcClient database) {
    this.database = database;
  }

  Product find(long id) throws NoSuchProductException {
    return database
        .sql("select id, name, description from product where id = ?")
        .param(id)
        .query(Product.class)
        .optional()
        .orElseThrow(() -> new NoSuchProductException(id));
  }
}
