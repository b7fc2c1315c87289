using System.Reflection;
using System.Text.Json;
using Orleans.CodeGeneration;
using Resources.Grains;

namespace Resources.Domain.Tests;

/// <summary>The commands of an account, through the serialiser that sends them to other nodes.</summary>
public class AccountMessageTests
{
    [Fact]
    public void Every_command_arrives_with_all_its_members() => Assert.All(AccountScenario.Commands, command =>
        {
            var arrived = SerializationTests.Sent(command);
            Assert.Equal(command.GetType(), arrived.GetType());
            Assert.Equal(Members(command), Members(arrived));
        });

    // Nodes of earlier releases do not know Execute: a higher version moves the grain to a node that does.
    [Theory]
    [InlineData(typeof(IAccountGrain))]
    [InlineData(typeof(IFactorGrain))]
    public void The_grain_has_a_higher_version_than_in_earlier_releases(Type grain) =>
        Assert.Equal<ushort>(1, grain.GetCustomAttribute<VersionAttribute>()!.Version);

    static string Members(AccountCommand command) => JsonSerializer.Serialize(command, command.GetType());
}
