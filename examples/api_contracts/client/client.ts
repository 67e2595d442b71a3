// What a frontend does with flights, with no type of its own: all of them come from the contract (`contract.d.ts`).
import type { components, paths } from "./contract";

type Flight = components["schemas"]["Flight"];
type Page = paths["/flights/"]["get"]["responses"][200]["content"]["application/json"];
type Asked = NonNullable<paths["/flights/"]["get"]["parameters"]["query"]>;
type Change = paths["/flights/{id}/"]["patch"]["requestBody"]["content"]["application/json"];
type Problem = components["schemas"]["Problem"];

// Every status has its words: a contract with one more does not compile.
const words: Record<Flight["status"], string> = { on_time: "on time", late: "late", cancelled: "cancelled" };

export async function flights(api: string, asked: Asked): Promise<string[]> {
  const query = new URLSearchParams(Object.entries(asked).map(([name, value]) => [name, String(value)]));
  const answer = await fetch(`${api}/flights/?${query}`);
  if (!answer.ok) throw new Error(((await answer.json()) as Problem).title);
  return ((await answer.json()) as Page).results.map(line);
}

export function line(flight: Flight): string {
  const minutes: number = flight.delay;
  return `${flight.carrier} ${flight.number}: ${words[flight.status]}, ${minutes} min, ${flight.distance} miles`;
}

export async function checkIn(api: string, id: number, bags: Change["bags"]): Promise<Flight> {
  const read = await fetch(`${api}/flights/${id}/`);
  const headers = { "Content-Type": "application/json", "If-Match": read.headers.get("ETag") ?? "" };
  const change = { method: "PATCH", headers, body: JSON.stringify({ bags } satisfies Change) };
  const answer = await fetch(`${api}/flights/${id}/`, change);
  return answer.status === 412 ? checkIn(api, id, bags) : ((await answer.json()) as Flight);
}
