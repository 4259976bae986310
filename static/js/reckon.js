/* What a price plan comes to: the arithmetic of orders/plans.py in whole cents, each amount rounded half up by itself.
   In: prices as texts of yuan, as the server writes them, and an area as a person types it. Out: amounts in cents. */

const DECIMAL = /^\d+(?:\.\d{1,2})?$/;

/* A number of at most two decimal places, in hundredths; null for anything else. */
export function hundredths(text) {
  const plain = String(text).normalize("NFKC").trim().replace(/\s*(?:m2|平方米|平米|平方|平)$/i, "").replaceAll(",", "").trim();
  if (!DECIMAL.test(plain)) return null;
  const [whole, part = ""] = plain.split(".");
  return BigInt(whole) * 100n + BigInt(part.padEnd(2, "0"));
}

/* cents × hundredths of m², in cents */
const times = (cents, area) => (cents * area + 50n) / 100n;

/* { total, saved } in cents for `area` in hundredths of m²; null while a price is no price. */
export function reckon({ price, market, items }, area) {
  let total = 0n;
  let asked = 0n;
  for (const [own, others, perArea] of [[price, market, true], ...items]) {
    const [mine, theirs] = [hundredths(own), hundredths(others)];
    if (mine === null || theirs === null) return null;
    total += perArea ? times(mine, area) : mine;
    asked += perArea ? times(theirs, area) : theirs;
  }
  return { total, saved: asked > total ? asked - total : 0n };
}

/* 8650000n → "¥86,500", and the cents where there are any. */
export function yuan(cents) {
  const rest = cents % 100n;
  return `¥${(cents / 100n).toLocaleString("en")}${rest ? `.${String(rest).padStart(2, "0")}` : ""}`;
}
