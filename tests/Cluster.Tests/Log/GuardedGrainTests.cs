using Microsoft.Extensions.DependencyInjection;
using Resources.Grains;
using Resources.Silo;

namespace Resources.Cluster.Tests;

/// <summary>A grain whose decisions have guards: its rules are those of today, and what a guard refuses is a refusal.</summary>
public sealed class GuardedGrainTests(LogDatabase database) : IClassFixture<LogDatabase>, IAsyncLifetime
{
    readonly Guid id = Guid.CreateVersion7();
    InProcessSilo node = null!;
    StandaloneLog elsewhere = null!;

    LabelRules Rules => node.Service<LabelRules>();

    public async ValueTask InitializeAsync()
    {
        node = await InProcessSilo.StartAsync(database, $"labels-{id:n}", [.. NodeFeature.All, new LabelFeature()]);
        elsewhere = await database.StartLogAsync();
        await AllowAsync(100);
        await Rules.RefreshAsync(elsewhere.Log);
    }

    public async ValueTask DisposeAsync()
    {
        await elsewhere.DisposeAsync();
        await node.DisposeAsync();
    }

    [Fact]
    public async Task A_write_is_decided_again_by_rules_that_moved()
    {
        await AllowAsync(5);

        var refused = await PutAsync("too long now");
        var put = await PutAsync("short");

        Assert.Equal(Refusal.Invalid, refused.Rejection!.Kind);
        Assert.Equal((1, "short"), (put.Version, put.Value!.Text));
    }

    [Fact]
    public async Task Nobody_is_refused_by_rules_of_the_past()
    {
        await AllowAsync(5);
        await Rules.RefreshAsync(elsewhere.Log);
        await AllowAsync(50);

        var put = await PutAsync("long enough to be refused before");

        Assert.Null(put.Rejection);
        Assert.Equal(1, put.Version);
    }

    [Fact]
    public async Task A_repeated_create_has_its_first_answer_though_the_rules_refuse_it_now()
    {
        var intent = Intend() with { Fingerprint = "print" };
        var first = await node.Grain<ILabelGrain>(id).Put("allowed then", null, intent);
        await InProcessSilo.DeactivateAsync(node.Grain<ILabelGrain>(id));
        await AllowAsync(5);
        await Rules.RefreshAsync(elsewhere.Log);

        var again = await node.Grain<ILabelGrain>(id).Put("allowed then", null, intent);

        Assert.Equal((null, 1, true), (again.Rejection, again.Version, again.Replayed));
        Assert.Equal(first.Value, again.Value);
    }

    [Fact]
    public async Task Refusals_of_guards_are_answers_that_change_nothing()
    {
        var (other, book) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        await PutAsync("mine");

        var taken = await node.Grain<ILabelGrain>(other).Put("mine", null, Intend());
        var missing = await node.Grain<ILabelGrain>(other).Put("other", book, Intend());
        // As if another resource referred to the label.
        await database.ExecuteAsync("insert into resource_references values ($1, 1, $2)", other, id);
        var referenced = await node.Grain<ILabelGrain>(id).Remove(Intend());

        Assert.Equal(Refusal.NotUnique, taken.Rejection!.Kind);
        Assert.Equal(
            [("/text", FaultCode.NotUnique), ("/language", FaultCode.NotUnique)],
            taken.Rejection.Faults!.Select(fault => (fault.Pointer, fault.Code))
        );
        Assert.Equal(Refusal.ReferenceNotFound, missing.Rejection!.Kind);
        Assert.Equal(
            [("/book", FaultCode.ReferenceNotFound)],
            missing.Rejection.Faults!.Select(fault => (fault.Pointer, fault.Code))
        );
        Assert.Equal(Refusal.StillReferenced, referenced.Rejection!.Kind);
        Assert.Equal((1, other), (referenced.Rejection.Referrers!.Count, referenced.Rejection.Referrers.Resources[0]));
        Assert.Equal((0, 0), await elsewhere.Log.HeadAsync(other));
        Assert.Equal(1, (await elsewhere.Log.HeadAsync(id)).Version);

        await database.ExecuteAsync("delete from resource_references where target = $1", id);
        Assert.True((await node.Grain<ILabelGrain>(id).Remove(Intend())).Value!.IsRemoved);
    }

    [Fact]
    public async Task Rules_that_move_without_pause_end_a_command_as_unavailable()
    {
        var readings = 0;
        Rules.Reading = async () =>
        {
            readings++;
            await Task.Delay(100);
            await AllowAsync(100);
        };
        await AllowAsync(100);

        await Assert.ThrowsAsync<StoreUnavailableException>(() => PutAsync("never"));

        Assert.InRange(readings, 2, 100);
        Assert.Equal((0, 0), await elsewhere.Log.HeadAsync(id));
    }

    Task<Reply<Label>> PutAsync(string text) => node.Grain<ILabelGrain>(id).Put(text, null, Intend());

    static Intent Intend() => new(Guid.CreateVersion7(), "tester", null, null, Conditions.None);

    /// <summary>Changes the rules, as another node would: this one does not hear of it.</summary>
    async Task AllowAsync(int longest) =>
        Assert.NotNull(
            await elsewhere.AppendAsync(
                LabelRules.Stream,
                (await elsewhere.Log.HeadAsync(LabelRules.Stream)).Version,
                $"{longest}"
            )
        );

    sealed class LabelFeature : NodeFeature
    {
        public override void Add(IServiceCollection services, Settings settings) => services.AddSingleton<LabelRules>();
    }
}
