// Shows the schema with Swagger UI. A file of its own, so that a strict Content-Security-Policy allows it.
const root = document.getElementById("celesta-api");

SwaggerUIBundle({
  url: root.dataset.schema,
  domNode: root,
  deepLinking: true,
  tryItOutEnabled: true,
  persistAuthorization: false,
  // A signed-in user may try calls with the session; those that change something need the CSRF token.
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = root.dataset.csrf;
    return request;
  },
});
