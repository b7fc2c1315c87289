using System.Security.Cryptography;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>The change of the master key of a database that an earlier release has made, which had no root key.</summary>
[Trait("Conformance", "J6")]
public sealed class SecretStoreTests(TestPostgres postgres) : IAsyncLifetime
{
    readonly string before = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    readonly string after = Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));
    readonly LogDatabase tables = new(postgres);
    NodeDatabase database = null!;
    ControlDb db = null!;

    static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        await tables.InitializeAsync();
        database = await LogDatabase.OpenAsync(tables.ConnectionString, applySchema: false);
        db = LogDatabase.RolesOf(database).Control;
        await new SigningKeyStore(db, Key(before)).CreateFirstAsync(Cancelled);
    }

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        await tables.DisposeAsync();
    }

    [Fact]
    public async Task Key_is_changed_by_the_first_start_of_this_release_and_digests_stay()
    {
        var first = await OpenAsync(after, before);
        await first.Store.RenewAsync(TextWriter.Null, Cancelled);

        var digests = HKDF.DeriveKey(
            HashAlgorithmName.SHA256,
            Convert.FromBase64String(before),
            MasterKey.Size,
            info: "digests"u8.ToArray()
        );
        Assert.Equal(digests, first.Key.Derive("digests"));
        Assert.Equal(digests, (await OpenAsync(after)).Key.Derive("digests"));
    }

    [Fact]
    public async Task Secret_that_a_node_copies_to_where_the_change_has_been_is_changed_too()
    {
        var vault = await Vault(before).KeepAsync(Guid.CreateVersion7(), "secret");
        var (store, _) = await OpenAsync(after, before);
        // The last that is changed.
        await tables.ExecuteAsync(
            """
            create table copied as select * from vault;
            create function copy_back() returns trigger language plpgsql as 'begin update vault v set sealed = c.sealed from copied c where c.id = v.id; return null; end';
            create trigger copy_back after update on root_key execute function copy_back();
            """
        );
        await tables.ExecuteAsync("update root_key set sealed = $1", Key(before).Protect(new byte[32], "root key"));

        await store.RenewAsync(TextWriter.Null, Cancelled);

        await OpenAsync(after);
        Assert.Equal("secret"u8.ToArray(), (await Vault(after).OpenAsync(vault))[vault]);
    }

    Vault Vault(string key) => new(LogDatabase.RolesOf(database).Reads, Key(key));

    async Task<(SecretStore Store, MasterKey Key)> OpenAsync(string first, string? second = null)
    {
        var key = Key(first, second);
        var store = new SecretStore(db, key, new(db, key));
        await store.OpenAsync(Cancelled);
        return (store, key);
    }

    static MasterKey Key(string first, string? second = null) =>
        MasterKey.Load(new() { MasterKey = first, SecondMasterKey = second }, "");
}
