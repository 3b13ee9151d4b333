export default function Page() {
  return <div>analytics</div>;
}
