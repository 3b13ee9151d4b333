export default function Page() {
  return <div>live</div>;
}
