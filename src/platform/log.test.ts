import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Secret } from "@infragpt/connector-kit";
import { createLog, createScrubber, type LogOptions } from "./index.ts";

function aLog(options: Partial<LogOptions> = {}): {
  log: ReturnType<typeof createLog>;
  lines: string[];
  scrubber: ReturnType<typeof createScrubber>;
} {
  const lines: string[] = [];
  const scrubber = createScrubber();
  const log = createLog({
    level: "trace",
    format: "json",
    scrubber,
    destination: { write: (line) => lines.push(line) },
    ...options,
  });
  return { log, lines, scrubber };
}

/** Joined here, so that no scanner takes this file for a leak. */
function joined(...parts: readonly string[]): string {
  return parts.join("");
}

const PLANTED: Readonly<Record<string, string>> = {
  "Slack bot token": joined("xoxb-", "2345678901-2345678901234-AbCdEfGhIjKlMnOpQrStUvWx"),
  "Slack user token": joined("xoxp-", "2345678901-2345678901-2345678901234-0123456789abcdef"),
  "Slack app token": joined(
    "xapp-",
    "1-A0123456789-2345678901234-0123456789abcdef0123456789abcdef",
  ),
  "Slack rotated token": joined("xoxe.", "xoxb-1-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
  "Slack refresh token": joined("xoxe-", "1-AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
  "GitHub personal token": joined("ghp_", "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
  "GitHub installation token": joined("ghs_", "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"),
  "GitHub fine-grained token": joined("github_pat_", "11ABCDEFG0abcdefghij_AbCdEfGhIjKlMnOp"),
  "AWS access key": joined("AKIA", "IOSFODNN7EXAMPL2"),
  "AWS session key": joined("ASIA", "IOSFODNN7EXAMPL2"),
  "webhook secret": joined("whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
  "live key": joined("sk_live_", "AbCdEfGhIjKlMnOpQrStUvWx"),
  "test key": joined("sk_test_", "AbCdEfGhIjKlMnOpQrStUvWx"),
  "model key": joined("sk-", "ant-api03-AbCdEfGhIjKlMnOpQrStUvWx"),
  JWT: joined("eyJ", "hbGciOiJSUzI1NiJ9.eyJzdWIiOiJ1c2VyXzEifQ.c2lnbmF0dXJlLW9mLXRoZS10b2tlbg"),
  "service token": joined("igpt_", "AbCdEfGhIjKlMnOpQrStUvWxYz012345"),
  "private key": joined(
    "-----BEGIN RSA ",
    "PRIVATE KEY-----\nMIIEowIBAAKCAQEAsecretsecret\nqUrSTuV+wx/YZ==\n-----END RSA PRIVATE KEY-----",
  ),
  "private key without an end": joined("-----BEGIN ", "PRIVATE KEY-----\nMIIEowIBAAKCAQEAcut"),
};

/** No stretch of a secret's own characters may survive. */
function assertGone(line: string, secret: string): void {
  for (const piece of secret.split(/[^A-Za-z0-9]+/).filter((part) => part.length >= 12)) {
    assert.ok(!line.includes(piece), `${piece} is in ${line}`);
  }
}

describe("log", () => {
  for (const [name, secret] of Object.entries(PLANTED)) {
    test(`lets no ${name} out, wherever it stands`, () => {
      const { log, lines } = aLog();
      const cause = new Error(`inner ${secret} failed`);

      log.info({ field: secret, deep: { er: [secret] } }, `sentence with\n${secret} inside`);
      log.info({ headers: { "x-any": secret, Authorization: `Bearer ${secret}` } }, "headers");
      log.info(
        { body: JSON.stringify({ one: secret, two: JSON.stringify({ three: secret }) }) },
        "json",
      );
      log.error({ err: new Error(`outer ${secret}`, { cause }) }, "failed");
      log.error(new AggregateError([cause], "several"));

      assert.equal(lines.length, 5);
      for (const line of lines) {
        assertGone(line, secret);
        JSON.parse(line);
      }
      assert.match(lines[2] ?? "", /three/);
    });
  }

  test("takes credentials out of URLs and keeps the rest", () => {
    const { log, lines } = aLog();

    log.info({ url: "postgres://infragpt:hunter2pass@db.internal:5432/app" }, "connecting");
    log.info({ url: "https://x.example/cb?code=abcdef&team=T1&state=zyx#f" }, "redirect");
    log.info({ url: "https://hooks.slack.com/services/T000/B000/XXXXXXXX" }, "hook");

    assert.ok(!lines.join("").match(/hunter2pass|abcdef|zyx|XXXXXXXX/));
    assert.match(lines[0] ?? "", /@db\.internal:5432\/app/);
    assert.match(lines[1] ?? "", /team=T1/);
  });

  test("hides fields by their names, also in JSON within a string", () => {
    const { log, lines } = aLog();

    log.info(
      { password: 'pa"ss\\word', clientSecret: "plain", set_cookie: "sid=1", other: 1 },
      "x",
    );
    log.info({ body: JSON.stringify({ signing_secret: 'ab"cd\\ef', team: "T1" }) }, "x");

    assert.ok(!lines.join("").match(/pa\\|ss\\|plain|sid=|ab\\|cd\\/));
    assert.equal(JSON.parse(lines[0] ?? "").other, 1);
    assert.equal(JSON.parse(JSON.parse(lines[1] ?? "").body).team, "T1");
  });

  test("hides a learned value in every form it takes", () => {
    const { log, lines, scrubber } = aLog();
    const value = 'p"ä ss/w+rd=1\\x';
    scrubber.learn(value);

    log.info({ value, list: [value], nested: JSON.stringify({ value }) }, `it is ${value}.`);
    log.info({ url: `https://x.example/${encodeURIComponent(value)}/y` }, "url");
    for (const before of ["", "u:", "us:", "use:"]) {
      log.info({ b: Buffer.from(before + value).toString("base64") }, "base64");
      log.info({ b: Buffer.from(before + value).toString("base64url") }, "base64url");
    }
    log.info({ b: Buffer.from(value).toString("hex") }, "hex");

    assert.equal(lines.filter((line) => line.includes("[secret]")).length, lines.length);
    assert.ok(!lines.join("").match(/w\+rd|w%2Brd|22c3a4207373|cyAvdytyZD0x/i));
    for (const line of lines) JSON.parse(line);
  });

  test("ignores learned values that are ordinary words", () => {
    const { log, lines, scrubber } = aLog();
    scrubber.learn("admin");

    log.info("admin signed in");

    assert.match(lines[0] ?? "", /admin signed in/);
  });

  test("prints a Secret as [secret] and an error without what libraries hang on it", () => {
    const { log, lines } = aLog();
    const error = Object.assign(new Error("request failed"), {
      code: "ECONNREFUSED",
      config: { headers: { "x-key": "plain-value-of-a-header" } },
    });

    log.error({ err: error, token: new Secret("plain-value") }, "call failed");

    const line = JSON.parse(lines[0] ?? "");
    assert.ok(!lines[0]?.includes("plain-value"));
    assert.equal(line.err.code, "ECONNREFUSED");
    assert.match(line.err.stack, /log\.test\.ts/);
  });

  test("keeps the stack of every cause", () => {
    const { log, lines } = aLog();
    const root = new TypeError("root");

    log.error({ err: new Error("top", { cause: new Error("middle", { cause: root }) }) }, "failed");

    const { err } = JSON.parse(lines[0] ?? "");
    assert.equal(err.cause.cause.type, "TypeError");
    assert.match(err.cause.cause.stack, /log\.test\.ts/);
  });

  test("survives errors that are their own cause, and things that are no errors", () => {
    const { log, lines } = aLog();
    const circular = new Error("round");
    circular.cause = circular;

    log.error({ err: circular }, "failed");
    log.error({ err: { token: "plain-value" } }, "failed");
    log.error({ err: undefined }, "failed");

    assert.equal(lines.length, 3);
    assert.ok(!lines.join("").includes("plain-value"));
  });

  for (const format of ["json", "pretty"] as const) {
    test(`lets no text begin a line or steer the terminal (${format})`, () => {
      const { log, lines } = aLog({ format, isColored: false });
      const nasty = "a\r\nb\u001b[2Kc\u009bd\u2028e\u202ef\u0007";

      log.info({ field: nasty, [nasty]: 1 }, nasty);
      log.info({ method: nasty, path: nasty, status: 200, durationMs: 1, sizeBytes: 1 }, "request");

      assert.equal(lines.length, 2);
      for (const line of lines) {
        assert.ok(line.endsWith("\n"));
        // oxlint-disable-next-line eslint/no-control-regex
        assert.doesNotMatch(line.slice(0, -1), /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/);
      }
    });
  }

  test("writes requests and errors for people, coloured, when pretty", () => {
    const { log, lines } = aLog({ format: "pretty" });

    log.info(
      { method: "POST", path: "/reply", status: 503, durationMs: 1.5, sizeBytes: 98 },
      "request",
    );
    log
      .child({ room: "agents" })
      .warn({ err: new Error("top", { cause: new Error("deep") }) }, "agent failed");

    assert.match(
      lines[0] ?? "",
      // oxlint-disable-next-line eslint/no-control-regex
      /\u001b\[35mPOST {2}\u001b\[39m \u001b\[31m503\u001b\[39m \/reply .*1\.5 ms 98 B/,
    );
    assert.match(
      lines[1] ?? "",
      /WARN.*agent failed.*room=agents[^]*Error: top[^]*caused by[^]*Error: deep/,
    );
  });

  test("keeps secrets out of the pretty format too", () => {
    const { log, lines } = aLog({ format: "pretty" });

    log.error(
      { err: new Error(`${PLANTED["private key"]} and ${PLANTED["Slack bot token"]}`) },
      "failed",
    );

    assertGone(lines[0] ?? "", `${PLANTED["private key"]} ${PLANTED["Slack bot token"]}`);
  });
});

describe("scrubber", () => {
  test("leaves ordinary text alone", () => {
    const scrubber = createScrubber();
    scrubber.learn("correct horse battery staple");
    const text =
      'The pod restarted 3 times; see https://x.example/a?b=c. "tokens": 12, token count, sk-1, eyJ, bearer of news, basic knowledge';

    assert.equal(scrubber.scrub(text), text);
  });

  test("replaces the longer of two secrets that begin alike", () => {
    const scrubber = createScrubber();
    scrubber.learn("abcdefgh");
    scrubber.learn("abcdefghijkl");

    assert.equal(scrubber.scrub("x abcdefghijkl y abcdefgh z"), "x [secret] y [secret] z");
  });

  test("stays quick with thousands of learned values and with hostile text", () => {
    const scrubber = createScrubber();
    for (let n = 0; n < 2000; n += 1) scrubber.learn(`secret-number-${n}-of-many`);
    const hostile = ["://", '"token":"', "\\", "-----BEGIN PRIVATE KEY-----", "eyJ", "a:"]
      .map((part) => part.repeat(20_000))
      .join(" ");

    const startedMs = performance.now();
    scrubber.scrub(hostile);

    assert.ok(performance.now() - startedMs < 5000);
  });
});
