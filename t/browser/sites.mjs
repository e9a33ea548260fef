// Other sites cannot write.
import http from 'node:http';
import { base, go, is, like, ok, other, person, register, sign_in, text }
  from './browser.mjs';

// Forms of another site; which site that is, its address says.
function serve() {
  const server = http.createServer((request, response) => {
    const { searchParams } = new URL(request.url, 'http://x');
    const to = searchParams.get('at') + searchParams.get('action');
    response.setHeader('Content-Type', 'text/html');
    response.end(`<!DOCTYPE html><title>evil</title><form method="post"
      action="${to}"><input name="last_name" value="Evil">
      <input name="nickname" value="Evil">
      <button>win a prize</button></form>`);
  });
  return new Promise((done) => {
    server.listen(0, '127.0.0.1', () => done(server));
  });
}

async function attack(page, evil, at, action) {
  await page.goto(`${evil}/?${new URLSearchParams({ at, action })}`);
  const [answer] = await Promise.all([
    page.waitForResponse((response) => response.url() === at + action),
    page.click('button'),
  ]);
  await page.waitForLoadState();
  return answer.status();
}

export async function sites() {
  const server = await serve();
  const evil = server.address().port;
  const page = await person();
  await register(page, 'karla');
  await sign_in(page, 'karla');
  // Another port is the same site, so that the cookie is sent; another name is
  // another site, and it is not.
  for (const from of [`http://127.0.0.1:${evil}`, `http://localhost:${evil}`]) {
    for (const action of ['/account', '/logout', '/sessions', '/login', '/register']) {
      is(await attack(page, from, base, action), 403, `${from}: ${action} is refused`);
      like(await text(page), /Another site wanted to do this/, '... and says so');
    }
  }
  for (const from of [`http://127.0.0.1:${evil}`, `http://localhost:${evil}`]) {
    const status = await attack(page, from, base, '/userprofile');
    ok([401, 403].includes(status), `${from}: /userprofile is refused`, status);
  }
  await go(page, '/userprofile');
  like(await text(page), /You have no profile yet/, '... and none was made');
  is(await go(page, '/account'), 200, 'the session is still there');
  is(await page.inputValue('#last_name'), '', '... and nothing was changed');

  await sign_in(page, 'karla', other);
  is(await attack(page, `http://gateway.test:${evil}`, other, '/account'), 403,
    'the same where a browser does not say Sec-Fetch-Site');
  await go(page, '/account', other);
  is(await page.inputValue('#last_name'), '', '... nothing was changed');
  await page.context().close();
  server.close();
}
