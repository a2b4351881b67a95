delete from product;
insert into product (id, name, description) values
  (1, 'Denim jacket', 'Raw denim from a shuttle loom, with its own edge.'),
  (2, 'Canvas bag', 'Holds a laptop and whatever else is there.'),
  (3, 'Wool scarf', 'Long enough for two.');
