"use strict";

const element = (id) => document.getElementById(id);

/** Sends a request to this service, and returns its response. */
async function ask(path, method, body) {
  const response = await fetch(path, { method, body: body && JSON.stringify(body) });
  const result = await response.json();
  if (!response.ok) throw Object.assign(new Error(result.error), { status: response.status });
  return result;
}

/** Sends bytes to the bucket. Fetch cannot show the progress of an upload; this can. */
function send(method, url, headers, body, onProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => onProgress(event.loaded, event.total);
    request.onload = () => (request.status < 300 ? resolve() : reject(new Error(why(request))));
    request.onerror = () => reject(new Error("no response: check the network and the CORS rules"));
    request.send(body);
  });
}

/** The error code in the XML document of a refusal. */
function why(request) {
  const code = /<Code>(\w+)<\/Code>/.exec(request.responseText);
  return code ? `${request.status} ${code[1]}` : String(request.status);
}

/** A line that shows how far an upload is. */
class Line {
  constructor(list, name) {
    this.item = document.createElement("li");
    this.item.dataset.state = "running";
    const line = document.createElement("div");
    line.className = "line";
    const label = document.createElement("span");
    label.className = "name";
    label.textContent = name;
    this.state = document.createElement("span");
    this.state.className = "state";
    this.bar = document.createElement("progress");
    this.bar.max = 1;
    line.append(label, this.state);
    this.item.append(line, this.bar);
    list.append(this.item);
    this.show(0, 1);
  }

  show(sent, all) {
    const part = all > 0 ? sent / all : 1;
    this.bar.value = part;
    this.state.textContent = `${Math.round(part * 100)} %`;
  }

  /** Shows how an upload ends. */
  async follow(upload) {
    try {
      await upload;
      this.show(1, 1);
      this.item.dataset.state = "done";
      this.state.textContent = "done";
    } catch (error) {
      this.item.dataset.state = "failed";
      this.state.textContent = error.message;
    }
  }
}

function showGrant(place, part) {
  const limits = { lifetime: "its own lifetime", session: "the session", sevenDays: "the limit of 7 days" };
  const until = new Date(part.validUntil).toLocaleTimeString();
  element(place).textContent = `Works until ${until}, limited by ${limits[part.limitedBy]}.`;
}

/** Uploads one file with a signed form. */
async function uploadByForm(file) {
  const grant = await ask("api/form", "POST");
  const form = grant.forms[0];
  showGrant("form-grant", form);
  const line = new Line(element("form-progress"), file.name);
  const fields = new FormData();
  for (const [name, value] of Object.entries(form.fields)) fields.append(name, value);
  fields.append("key", form.keyPrefix + file.name);
  fields.append("content-type", file.type || "application/octet-stream");
  // The service ignores what follows the file.
  fields.append("file", file);
  await line.follow(send("POST", form.url, {}, fields, (sent, all) => line.show(sent, all)));
}

/** Uploads files by a presigned URL each. */
async function uploadByUrls(files) {
  const wanted = files.map((file) => ({
    name: file.name,
    type: file.type || "application/octet-stream",
    bytes: file.size,
  }));
  const grant = await ask("api/uploads", "POST", wanted);
  showGrant("put-grant", grant.urls[0]);
  const uploads = files.map((file, at) => {
    const { method, url, headers } = grant.urls[at];
    const line = new Line(element("put-progress"), file.name);
    return line.follow(send(method, url, headers, file, (sent, all) => line.show(sent, all)));
  });
  await Promise.all(uploads);
}

async function showFiles() {
  const { files } = await ask("api/files", "GET");
  const rows = files.map((file) => {
    const row = document.createElement("tr");
    const link = document.createElement("a");
    link.href = file.url;
    link.textContent = file.name;
    const name = document.createElement("td");
    name.append(link);
    const bytes = document.createElement("td");
    bytes.className = "number";
    bytes.textContent = file.bytes.toLocaleString();
    row.append(name, bytes);
    return row;
  });
  element("files").replaceChildren(...rows);
  element("no-files").hidden = files.length > 0;
}

/** Runs what a button starts; meanwhile it cannot start again. */
function onClick(id, list, action) {
  element(id).addEventListener("click", async () => {
    element(id).disabled = true;
    try {
      await action();
    } catch (error) {
      const line = new Line(element(list), "The upload did not begin");
      await line.follow(Promise.reject(error));
    }
    await showFiles();
    element(id).disabled = false;
  });
}

async function show() {
  const me = await ask("api/me", "GET").catch(() => null);
  element("login").hidden = me !== null;
  element("who").hidden = element("panels").hidden = me === null;
  if (me === null) return;
  element("user").textContent = me.user;
  element("prefix").textContent = me.prefix;
  await showFiles();
}

element("login").addEventListener("submit", async (event) => {
  event.preventDefault();
  const login = { user: element("login-user").value, password: element("login-password").value };
  try {
    await ask("api/login", "POST", login);
    element("login-error").textContent = "";
    element("login").reset();
    await show();
  } catch (error) {
    element("login-error").textContent = error.message;
  }
});

element("logout").addEventListener("click", async () => {
  await ask("api/logout", "POST");
  location.reload();
});

onClick("form-send", "form-progress", async () => {
  const [file] = element("form-file").files;
  if (file) await uploadByForm(file);
});

onClick("put-send", "put-progress", async () => {
  const files = [...element("put-files").files];
  if (files.length > 0) await uploadByUrls(files);
});

show();
