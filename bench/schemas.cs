#:project ../src/Grains/Grains.csproj
#:property PublishAot=false
#:property RestorePackagesWithLockFile=false
// What it costs to hold a document against a schema, beside what it costs to parse the document.
//   dotnet run -c Release bench/schemas.cs
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Resources.Grains;

const string Members = """
    "isbn":{"type":"string","pattern":"^[0-9]{13}$"},"title":{"type":"string","minLength":1,"maxLength":200},
    "author":{"type":"string","maxLength":200},"language":{"enum":["de","en","fr","it"]},
    "pages":{"type":"integer","minimum":1,"maximum":10000},"price":{"type":"number","minimum":0,"multipleOf":0.01},
    "published":{"type":"string","format":"date"},"available":{"type":"boolean"},
    "tags":{"type":"array","items":{"type":"string","maxLength":30},"maxItems":10,"uniqueItems":true},
    "publisher":{"type":"object","properties":{"name":{"type":"string"},"city":{"type":"string"}},"required":["name"]},
    "contact":{"type":"string","format":"email"},"note":{"type":["string","null"]}
    """;
const string Definition =
    $$"""{"type":"object","properties":{ {{Members}} },"required":["isbn","title","author"],"additionalProperties":false}""";
const string Valid = """
    {"isbn":"9783161484100","title":"The book of sand","author":"J. L. Borges","language":"en","pages":181,"price":19.99,
    "published":"1975-06-01","available":true,"tags":["novel","short","argentina"],
    "publisher":{"name":"Emece","city":"Buenos Aires"},"contact":"orders@emece.example","note":null}
    """;
const string Invalid = """
    {"isbn":"978316148410","title":"","language":"es","pages":0,"price":19.999,
    "published":"1975-06-31","available":1,"tags":["novel","short","short"],
    "publisher":{"city":"Buenos Aires"},"contact":"orders","note":null,"colour":"blue"}
    """;

var definition = JsonElement.Parse(Definition);
var schema = Schema.Compile(definition, "", [])!;
var (valid, invalid) = (Encoding.UTF8.GetBytes(Valid), Encoding.UTF8.GetBytes(Invalid));
var (good, bad) = (JsonElement.Parse(valid), JsonElement.Parse(invalid));
var faults = new List<Fault>();
if (!schema.Accepts(good) || schema.Check(bad, "/metadata", faults) || faults.Count < 10)
    throw new InvalidOperationException("The documents are not what they should be.");

(string Name, Action Run)[] works =
[
    ("read the body", () => StrictJson.Read(valid, [])!.Dispose()),
    ("parse it, without any check", () => JsonDocument.Parse(valid).Dispose()),
    ("the same, with its own memory", () => JsonElement.Parse(valid)),
    ("valid document", () => schema.Accepts(good)),
    ($"all faults, {faults.Count}", () => schema.Check(bad, "/metadata", [])),
    ("compile the schema", () => Schema.Compile(definition, "", [])),
];

Console.WriteLine($"{Environment.ProcessorCount} cores, {valid.Length} bytes, medians of 31 rounds, in turns");
var times = works.Select(_ => new List<double>()).ToArray();
var bytes = new long[works.Length];
for (var round = 0; round < 41; round++)
for (var work = 0; work < works.Length; work++)
{
    const int Calls = 2_000;
    var before = GC.GetAllocatedBytesForCurrentThread();
    var start = Stopwatch.GetTimestamp();
    for (var call = 0; call < Calls; call++)
        works[work].Run();
    // The first rounds are for the compiler.
    if (round >= 10)
        times[work].Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds / Calls);
    bytes[work] = (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
}
var medians = times.Select(all => all.Order().ElementAt(all.Count / 2)).ToArray();
for (var work = 0; work < works.Length; work++)
    Console.WriteLine(
        $"{works[work].Name, -30} {medians[work], 9:F2} µs {medians[work] / medians[0], 7:F2} x {bytes[work], 8} B {(double)bytes[work] / bytes[0], 7:F2} x"
    );
