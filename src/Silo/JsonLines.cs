using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Logging.Console;

namespace Resources.Silo;

/// <summary>
/// A line of JSON for each entry of the log: time, level, category, the message once, its values by name, the trace, and
/// the exception.
/// </summary>
sealed class JsonLines() : ConsoleFormatter(Name)
{
    public new const string Name = "resources-json";

    static readonly JsonWriterOptions Options = new()
    {
        // What may break a line stays escaped.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        SkipValidation = true,
    };

    public override void Write<TState>(
        in LogEntry<TState> entry,
        IExternalScopeProvider? scopeProvider,
        TextWriter textWriter
    )
    {
        var output = new ArrayBufferWriter<byte>(512);
        using (var json = new Utf8JsonWriter(output, Options))
        {
            json.WriteStartObject();
            json.WriteString(
                "time",
                DateTimeOffset.UtcNow.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture)
            );
            json.WriteString("level", entry.LogLevel.ToString());
            json.WriteString("category", entry.Category);
            json.WriteString("message", entry.Formatter(entry.State, entry.Exception));
            if (Activity.Current is { } activity)
                json.WriteString("traceId", activity.TraceId.ToString());
            WriteValues(json, entry.State);
            if (entry.Exception is { } exception)
                json.WriteString("exception", exception.ToString());
            json.WriteEndObject();
        }
        textWriter.WriteLine(System.Text.Encoding.UTF8.GetString(output.WrittenSpan));
    }

    static void WriteValues<TState>(Utf8JsonWriter json, TState state)
    {
        if (state is not IReadOnlyList<KeyValuePair<string, object?>> values)
            return;
        var isOpen = false;
        foreach (var (name, value) in values)
        {
            if (name is "{OriginalFormat}")
                continue;
            if (!isOpen)
                json.WriteStartObject("values");
            isOpen = true;
            json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
        }
        if (isOpen)
            json.WriteEndObject();
    }
}
