/// <reference path="../pb_data/types.d.ts" />
migrate((app) => {
  const open = { listRule: "", viewRule: "", createRule: "", updateRule: "", deleteRule: "" };
  const shops = new Collection({
    type: "base",
    name: "shops",
    ...open,
    fields: [
      { name: "name", type: "text", required: true, max: 80 },
      { name: "city", type: "text" },
      { name: "opened", type: "number", onlyInt: true },
    ],
  });
  app.save(shops);
  app.save(new Collection({
    type: "base",
    name: "articles",
    ...open,
    fields: [
      { name: "shop", type: "relation", required: true, collectionId: shops.id, maxSelect: 1 },
      { name: "title", type: "text", required: true },
      { name: "price", type: "number", min: 0 },
      { name: "stock", type: "number", onlyInt: true },
      { name: "active", type: "bool" },
      { name: "created", type: "autodate", onCreate: true },
      { name: "updated", type: "autodate", onCreate: true, onUpdate: true },
    ],
  }));
  app.save(new Collection({
    type: "base",
    name: "reviews",
    ...open,
    fields: [
      { name: "shop", type: "relation", required: true, collectionId: shops.id, maxSelect: 1 },
      { name: "stars", type: "number", onlyInt: true, min: 1, max: 5 },
      { name: "text", type: "text" },
    ],
  }));
}, (app) => {
  for (const name of ["reviews", "articles", "shops"]) {
    app.delete(app.findCollectionByNameOrId(name));
  }
});
